using Ingest.Columns;
using Ingest.Log;
using Microsoft.Extensions.Logging;

namespace Ingest.Topics;

/// <summary>
/// The one writer of a table of updates: gives offsets, makes updates durable, and puts them into the rings of their
/// topics.
/// </summary>
/// <remarks>
/// <para>
/// One group at a time: while it is on its way to the disk the next collects. Those that publish wait for it, each with
/// what it brought; over <see cref="TopicOptions.MaxPendingBytes"/> one that waits may still be cancelled, and over
/// twice that updates are refused: somebody brings more without waiting. A group is the rows of one batch, so all of it
/// is durable or nothing. One that failed is written again with the offsets that it has, until it is durable or the log
/// stops.
/// </para>
/// <para>
/// Callers serialise on their own threads; the loop runs on pool threads, one at a time; the lane's thread says what
/// became of a group. It is a producer of its table, so the log knows exactly how many of its rows are durable, and
/// how many the store has.
/// </para>
/// </remarks>
internal sealed partial class TopicPublisher : ProducerSession
{
    /// <summary>Stable id of the publishers, as <c>producer_id</c> has it.</summary>
    public const string Id = "ingest-topics";

    private const int MaxGroupRows = 4096;
    private const long MaxGroupBytes = 4 << 20;

    private readonly TopicHub _hub;
    private readonly IngestTable _table;
    private readonly long _maxPendingBytes;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private readonly Queue<PendingUpdate> _pending = new();
    private readonly List<PendingUpdate> _group = [];
    private long _pendingBytes;
    private TaskCompletionSource? _room;
    private Task _running = Task.CompletedTask;
    private bool _isRunning;
    private volatile bool _isStopping;

    public TopicPublisher(
        TopicHub hub, PayloadKind kind, IngestTable table, TopicOptions options, ILogger logger, TimeProvider time)
        : base(Id, epoch: 0)
    {
        _hub = hub;
        Kind = kind;
        _table = table;
        _maxPendingBytes = options.MaxPendingBytes;
        _logger = logger;
        _time = time;
    }

    /// <summary>What it publishes.</summary>
    public PayloadKind Kind { get; }

    /// <summary>The table that it writes.</summary>
    public IngestTable Table => _table;

    /// <summary>Publishes one update; completes when it is durable and in its ring.</summary>
    /// <exception cref="TopicFullException">So much waits that even waiting for room has no room.</exception>
    /// <exception cref="ObjectDisposedException">The server stops.</exception>
    public ValueTask<TopicUpdate> PublishAsync(
        Topic topic, string key, byte[] payload, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var update = new PendingUpdate(topic, key, payload);
        if (!TryEnqueue(update, 2 * _maxPendingBytes, out bool hasRoom))
        {
            throw new TopicFullException(
                $"More than {2 * _maxPendingBytes} bytes of updates wait to become durable, twice what "
                + "Ingest:Topics:MaxPendingBytes allows: wait for earlier ones.");
        }

        if (!hasRoom)
        {
            update.CancelBy(cancellationToken);
        }

        return new ValueTask<TopicUpdate>(update.Task);
    }

    /// <summary>Publishes one update if there is room for it now.</summary>
    /// <param name="topic">The topic.</param>
    /// <param name="key">The entity that it is about.</param>
    /// <param name="payload">The payload.</param>
    /// <param name="published">Completes when it is durable and in its ring.</param>
    /// <returns>False when it was not taken: <see cref="WaitForRoomAsync"/> says when to try again.</returns>
    /// <exception cref="ObjectDisposedException">The server stops.</exception>
    public bool TryPublish(Topic topic, string key, byte[] payload, out ValueTask<TopicUpdate> published)
    {
        var update = new PendingUpdate(topic, key, payload);
        bool isTaken = TryEnqueue(update, _maxPendingBytes, out _);
        published = isTaken ? new ValueTask<TopicUpdate>(update.Task) : default;
        return isTaken;
    }

    /// <summary>Completes when there is, or was a moment ago, room for more; at once where there is.</summary>
    public Task WaitForRoomAsync()
    {
        lock (_gate)
        {
            return _pendingBytes < _maxPendingBytes
                ? Task.CompletedTask
                : (_room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }
    }

    // The last one may go over the bound, so that one that is larger than it by itself can be published too.
    private bool TryEnqueue(PendingUpdate update, long most, out bool hasRoom)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isStopping, typeof(TopicHub));
            hasRoom = _pendingBytes < _maxPendingBytes;
            if (_pendingBytes >= most)
            {
                return false;
            }

            _pending.Enqueue(update);
            _pendingBytes += update.Bytes;
            if (!_isRunning)
            {
                _isRunning = true;
                _running = Task.Run(RunAsync, CancellationToken.None);
            }

            return true;
        }
    }

    /// <summary>Writes what waits, and takes no more.</summary>
    public async Task StopAsync()
    {
        Task running;
        lock (_gate)
        {
            _isStopping = true;
            running = _running;
        }

        await running.ConfigureAwait(false);
    }

    private async Task RunAsync()
    {
        while (TryTakeGroup())
        {
            try
            {
                await CommitAsync(_group).ConfigureAwait(false);
            }
            catch (Exception e)
            {
                Fail(_group, e);
            }

            _group.Clear();
        }
    }

    private bool TryTakeGroup()
    {
        TaskCompletionSource? room = null;
        lock (_gate)
        {
            long bytes = 0;
            while (_pending.TryPeek(out PendingUpdate? next) && _group.Count < MaxGroupRows
                && (bytes == 0 || bytes + next.Bytes <= MaxGroupBytes))
            {
                _pending.Dequeue();
                _pendingBytes -= next.Bytes;
                if (next.TryTake())
                {
                    bytes += next.Bytes;
                    _group.Add(next);
                }
            }

            if (_pendingBytes < _maxPendingBytes)
            {
                (room, _room) = (_room, null);
            }

            _isRunning = _group.Count > 0;
        }

        room?.TrySetResult();
        return _group.Count > 0;
    }
}
