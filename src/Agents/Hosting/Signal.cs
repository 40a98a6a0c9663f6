namespace Ingest.Agents.Hosting;

/// <summary>Wakes the one who waits, or lets the next wait pass. Set by any thread.</summary>
internal sealed class Signal
{
    private readonly Lock _gate = new();
    private TaskCompletionSource? _waiter;
    private bool _isSet;

    /// <summary>
    /// Lets the waiter go on. What it does next it does on its own thread: an agent's thread is a context.
    /// </summary>
    public void Set()
    {
        TaskCompletionSource? waiter;
        lock (_gate)
        {
            waiter = _waiter;
            _waiter = null;
            _isSet = waiter is null;
        }

        waiter?.TrySetResult();
    }

    /// <summary>Completes when it was set since the last wait. One waits at a time.</summary>
    public ValueTask WaitAsync()
    {
        lock (_gate)
        {
            if (_isSet)
            {
                _isSet = false;
                return default;
            }

            _waiter = new TaskCompletionSource();
            return new ValueTask(_waiter.Task);
        }
    }
}
