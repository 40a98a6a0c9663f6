namespace Ingest.Topics;

/// <summary>An update that waits to become durable, and who waits for it.</summary>
internal sealed class PendingUpdate(Topic topic, string key, byte[] payload)
{
    // What it holds besides the payload, and becomes: an update with the payload in it, and a row with both.
    private const int OverheadBytes = 512;

    private readonly TaskCompletionSource<TopicUpdate> _completion =
        new(TaskCreationOptions.RunContinuationsAsynchronously);

    private CancellationTokenRegistration _cancellation;
    private int _isTaken;

    public Topic Topic { get; } = topic;

    public string Key { get; } = key;

    public byte[] Payload { get; } = payload;

    /// <summary>Bytes of memory that it holds until it is durable, about.</summary>
    public long Bytes => OverheadBytes + (3L * Payload.Length);

    /// <summary>The update, once it is durable and in its ring.</summary>
    public Task<TopicUpdate> Task => _completion.Task;

    /// <summary>Lets its publisher go while it still waits for room; after that it goes its way.</summary>
    public void CancelBy(CancellationToken cancellationToken)
    {
        if (cancellationToken.CanBeCanceled)
        {
            _cancellation = cancellationToken.UnsafeRegister(
                static (update, token) => ((PendingUpdate)update!).Cancel(token), this);
        }
    }

    /// <summary>Takes it for a group; false when it was cancelled.</summary>
    public bool TryTake()
    {
        _cancellation.Unregister();
        return Interlocked.Exchange(ref _isTaken, 1) == 0;
    }

    public void Complete(TopicUpdate update) => _completion.TrySetResult(update);

    public void Fail(Exception cause) => _completion.TrySetException(cause);

    private void Cancel(CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref _isTaken, 1) == 0)
        {
            _completion.TrySetCanceled(cancellationToken);
        }
    }
}
