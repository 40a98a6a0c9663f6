namespace Ingest.Server.Services;

/// <summary>Wakes one waiter; signals that come while it is awake are one.</summary>
/// <remarks>
/// Any thread may set it, also when nobody waits any more. What was written before is seen after the wait.
/// </remarks>
internal sealed class AsyncSignal
{
    private TaskCompletionSource _next = NewSource();

    public void Set()
    {
        // Without it the setter's own writes may become visible after its look at the source: it then sets an old one,
        // and the waiter, awake already, has missed them.
        Interlocked.MemoryBarrier();
        Volatile.Read(ref _next).TrySetResult();
    }

    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        await Volatile.Read(ref _next).Task.WaitAsync(cancellationToken);

        // Who sets the old source from here on was too early to be waited for; the fence shows what it has done.
        Interlocked.Exchange(ref _next, NewSource());
    }

    private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
