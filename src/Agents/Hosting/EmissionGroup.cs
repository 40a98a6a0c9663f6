namespace Ingest.Agents.Hosting;

/// <summary>What a partition emitted between two saves: complete when all of it is durable or has failed.</summary>
internal sealed class EmissionGroup
{
    private readonly TaskCompletionSource _settled = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _open = 1; // One for the group itself, until it is closed.

    public Task Settled => _settled.Task;

    public void Begin() => Interlocked.Increment(ref _open);

    /// <summary>Ends one emission, or closes the group.</summary>
    public void End()
    {
        if (Interlocked.Decrement(ref _open) == 0)
        {
            _settled.TrySetResult();
        }
    }
}
