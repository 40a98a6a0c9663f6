namespace Ingest.Server.Grpc;

/// <summary>
/// Lets the server stop without losing calls: health turns NOT_SERVING, new calls are refused UNAVAILABLE, running ones
/// may finish, and those that do not end UNAVAILABLE.
/// </summary>
/// <remarks>
/// Safe for use by several threads at once. Health and reflection take calls to the end; a health watch tells that the
/// server is down and then ends by itself.
/// </remarks>
public sealed class Drain : IDisposable
{
    /// <summary>How long calls that were told to end may take to do so.</summary>
    internal static readonly TimeSpan EndTimeout = TimeSpan.FromSeconds(5);

    private readonly HealthStatus _health;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _started = new();
    private readonly CancellationTokenSource _graceOver = new();
    private readonly Lock _gate = new();
    private TaskCompletionSource? _idle;
    private long _activeCalls;

    /// <summary>Makes the drain of a server.</summary>
    public Drain(HealthStatus health, TimeProvider time)
    {
        _health = health;
        _time = time;
    }

    /// <summary>Cancelled when the drain starts: streams that live long tell their clients and end.</summary>
    public CancellationToken Started => _started.Token;

    /// <summary>Calls that run now.</summary>
    public long ActiveCalls => Interlocked.Read(ref _activeCalls);

    /// <summary>Cancelled when the grace time is over.</summary>
    internal CancellationToken GraceOver => _graceOver.Token;

    /// <summary>Drains: returns when no call runs any more, or when those that run do not end.</summary>
    /// <param name="grace">How long calls may go on before they end UNAVAILABLE.</param>
    /// <param name="cancellationToken">Cuts the grace time short.</param>
    /// <returns>Whether all calls have ended.</returns>
    public async Task<bool> RunAsync(TimeSpan grace, CancellationToken cancellationToken = default)
    {
        _health.SetDown();
        Task idle;
        lock (_gate)
        {
            _idle ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            if (_activeCalls == 0)
            {
                _idle.TrySetResult();
            }

            idle = _idle.Task;
        }

        await _started.CancelAsync();
        await WaitAsync(idle, grace, cancellationToken);
        await _graceOver.CancelAsync();
        await WaitAsync(idle, EndTimeout, cancellationToken);
        return idle.IsCompleted;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _started.Dispose();
        _graceOver.Dispose();
    }

    /// <summary>Counts a call in.</summary>
    /// <param name="whileDraining">Whether the call is taken while the server drains.</param>
    /// <returns>False when the server drains and does not take the call.</returns>
    internal bool TryEnter(bool whileDraining)
    {
        lock (_gate)
        {
            if (_idle is not null && !whileDraining)
            {
                return false;
            }

            _activeCalls++;
            return true;
        }
    }

    /// <summary>Counts a call out.</summary>
    internal void Exit()
    {
        lock (_gate)
        {
            if (--_activeCalls == 0)
            {
                _idle?.TrySetResult();
            }
        }
    }

    private async Task WaitAsync(Task idle, TimeSpan timeout, CancellationToken cancellationToken)
    {
        try
        {
            await idle.WaitAsync(timeout, _time, cancellationToken);
        }
        catch (Exception error) when (error is TimeoutException or OperationCanceledException)
        {
            // Those that still run are what the caller is told about.
        }
    }
}
