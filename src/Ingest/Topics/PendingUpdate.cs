namespace Ingest.Topics;

/// <summary>An update that waits to become durable, and who waits for it.</summary>
internal sealed class PendingUpdate(Topic topic, string key, byte[] payload)
{
    // What it holds besides the payload, and becomes: an update with the payload in it, and a row with both.
    private const int OverheadBytes = 512;

    private readonly TaskCompletionSource<TopicUpdate> _completion =
        new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Topic Topic { get; } = topic;

    public string Key { get; } = key;

    public byte[] Payload { get; } = payload;

    /// <summary>Bytes of memory that it holds until it is durable, about.</summary>
    public long Bytes => OverheadBytes + (3L * Payload.Length);

    /// <summary>The update, once it is durable and in its ring.</summary>
    public Task<TopicUpdate> Task => _completion.Task;

    public void Complete(TopicUpdate update) => _completion.TrySetResult(update);

    public void Fail(Exception cause) => _completion.TrySetException(cause);
}
