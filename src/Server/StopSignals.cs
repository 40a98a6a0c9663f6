using System.Runtime.InteropServices;

namespace Ingest.Server;

/// <summary>
/// Hears SIGTERM, SIGINT and SIGQUIT from the first moment on: the first asks the server to stop, whatever it is doing,
/// the second ends the process where it is.
/// </summary>
/// <remarks>
/// Instead of the host's own lifetime, which hears nothing before the host starts, so not while the log is recovered,
/// and ignores a second signal. To end where it is costs no row that was acknowledged, as with <c>kill -9</c>.
/// </remarks>
internal sealed class StopSignals : IHostLifetime, IDisposable
{
    private readonly CancellationTokenSource _asked = new();
    private readonly PosixSignalRegistration[] _registrations;
    private int _count;

    public StopSignals() => _registrations =
    [
        .. new[] { PosixSignal.SIGTERM, PosixSignal.SIGINT, PosixSignal.SIGQUIT }
            .Select(signal => PosixSignalRegistration.Create(signal, OnSignal)),
    ];

    /// <summary>Cancelled when the server is asked to stop.</summary>
    public CancellationToken Asked => _asked.Token;

    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in _registrations)
        {
            registration.Dispose();
        }

        _asked.Dispose();
    }

    private void OnSignal(PosixSignalContext context)
    {
        if (Interlocked.Increment(ref _count) > 1)
        {
            // What is not cancelled does what the signal does by itself: the process ends.
            return;
        }

        context.Cancel = true;

        // Not here: what hears of it may take its time, and a second signal has to come through.
        _ = Task.Run(_asked.Cancel);
    }
}
