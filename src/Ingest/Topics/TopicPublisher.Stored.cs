namespace Ingest.Topics;

/// <content>How far the store is, topic by topic.</content>
internal sealed partial class TopicPublisher
{
    // While the store is away for long, the later marks of a topic are joined: the store is then told to be behind a
    // little more than it is, never less.
    private const int MaxMarks = 1024;

    private readonly Queue<StoredMark> _marks = new();
    private readonly Dictionary<Topic, StoredMark> _lateMarks = [];
    private readonly Lock _marksGate = new();
    private readonly Lock _noteGate = new();
    private long _storedRows;
    private TaskCompletionSource? _storedMore;

    /// <inheritdoc/>
    /// <remarks>The lane's thread: a few comparisons for each segment that was stored.</remarks>
    public override void OnAdvanced(long durableOffset, long storedOffset)
    {
        bool isAdvanced;
        lock (_marksGate)
        {
            isAdvanced = storedOffset > _storedRows;
            _storedRows = Math.Max(_storedRows, storedOffset);
            TakeMarks();
        }

        if (isAdvanced)
        {
            Interlocked.Exchange(ref _storedMore, null)?.TrySetResult();
        }
    }

    /// <summary>Completes when the store has more of the table's updates than it had at the call.</summary>
    public Task WhenStoredMoreAsync()
    {
        var made = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return (Interlocked.CompareExchange(ref _storedMore, made, null) ?? made).Task;
    }

    /// <summary>Rows of updates that are durable, ever.</summary>
    public long Rows => Volatile.Read(ref _rows);

    /// <summary>Where it and its topics stand, at one moment between two groups.</summary>
    public TopicJournal.Table Note(IEnumerable<Topic> topics)
    {
        lock (_noteGate)
        {
            return new TopicJournal.Table
            {
                Name = Kind.Table,
                Rows = Rows,
                Topics =
                [
                    .. topics.Where(topic => topic.Kind == Kind).OrderBy(topic => topic.Name, StringComparer.Ordinal)
                        .Select(topic => new TopicJournal.Entry
                        {
                            Name = topic.Name, Epoch = topic.Epoch, Next = topic.Ring.Head,
                            LastEmittedMicros = topic.LastEmittedMicros,
                        }),
                ],
            };
        }
    }

    /// <summary>Takes note of a topic that an earlier run left, of which the log may still have updates.</summary>
    public void NoteRestored(Topic topic) => NoteDurable(topic, topic.Ring.Head);

    private void NoteDurable(Topic topic, long next)
    {
        lock (_marksGate)
        {
            var mark = new StoredMark(_rows, topic, next);
            if (_marks.Count < MaxMarks && _lateMarks.Count == 0)
            {
                _marks.Enqueue(mark);
            }
            else
            {
                _lateMarks[topic] = mark;
            }

            TakeMarks();
        }
    }

    private void TakeMarks()
    {
        while (true)
        {
            while (_marks.TryPeek(out StoredMark mark) && mark.Rows <= _storedRows)
            {
                _marks.Dequeue();
                mark.Topic.StoredOffset = Math.Max(mark.Topic.StoredOffset, mark.Next);
            }

            if (_marks.Count > 0 || _lateMarks.Count == 0)
            {
                return;
            }

            foreach (StoredMark late in _lateMarks.Values.OrderBy(late => late.Rows))
            {
                _marks.Enqueue(late);
            }

            _lateMarks.Clear();
        }
    }

    private readonly record struct StoredMark(long Rows, Topic Topic, long Next);
}
