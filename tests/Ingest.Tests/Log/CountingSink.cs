using Ingest.Columns;
using Ingest.Log;

namespace Ingest.Tests.Log;

/// <summary>A sender that remembers what it was told.</summary>
internal sealed class CountingSink : AppendSink
{
    private readonly Dictionary<(Lane, string), TestSession> _sessions = [];
    private readonly List<BatchEntry> _committed = [];
    private readonly List<(BatchEntry Entry, Exception Cause)> _failed = [];

    public IReadOnlyList<BatchEntry> Committed
    {
        get
        {
            lock (_committed)
            {
                return [.. _committed];
            }
        }
    }

    public IReadOnlyList<(BatchEntry Entry, Exception Cause)> Failed
    {
        get
        {
            lock (_committed)
            {
                return [.. _failed];
            }
        }
    }

    public long CommittedRows => Committed.Sum(entry => (long)entry.RowCount);

    public long FailedRows => Failed.Sum(failure => (long)failure.Entry.RowCount);

    public Action<BatchEntry>? OnCommit { get; set; }

    public override void OnCommitted(in BatchEntry entry)
    {
        OnCommit?.Invoke(entry);
        lock (_committed)
        {
            _committed.Add(entry);
        }
    }

    public override void OnFailed(in BatchEntry entry, Exception cause)
    {
        lock (_committed)
        {
            _failed.Add((entry, cause));
        }
    }

    /// <summary>The session of a producer whose rows this sink is told of; opened when it is new.</summary>
    public TestSession SessionOf(Lane lane, string producer)
    {
        lock (_sessions)
        {
            if (!_sessions.TryGetValue((lane, producer), out var session))
            {
                _sessions.Add((lane, producer), session = new TestSession(producer, 1, this));
                var opening = lane.OpenProducerAsync(session).GetAwaiter().GetResult();
                Assert.Equal(ProducerOpenResult.Opened, opening.Result);
            }

            return session;
        }
    }

    public Task CommittedAsync(long rows) => Eventually.BeAsync(() => CommittedRows >= rows);

    public Task FailedAsync(long rows) => Eventually.BeAsync(() => FailedRows >= rows);
}
