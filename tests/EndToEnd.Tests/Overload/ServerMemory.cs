using System.Globalization;

namespace Ingest.EndToEnd.Tests.Overload;

/// <summary>Watches the memory of a server from outside, as the kernel counts it, until it is disposed.</summary>
internal sealed class ServerMemory : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _watching;
    private long _most;

    public ServerMemory(int processId)
    {
        _watching = WatchAsync(processId);
        Process = processId;
    }

    /// <summary>Most bytes that it had for itself, without pages of files.</summary>
    public long MostBytes => Volatile.Read(ref _most);

    private int Process { get; }

    /// <summary>Bytes that it has for itself now.</summary>
    public static long Read(int processId)
    {
        string line = File.ReadLines($"/proc/{processId}/status").First(l => l.StartsWith("RssAnon:", StringComparison.Ordinal));
        return 1024 * long.Parse(
            line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
    }

    /// <summary>Forgets what was before.</summary>
    public void Reset() => Volatile.Write(ref _most, Read(Process));

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _watching;
        _stop.Dispose();
    }

    private async Task WatchAsync(int processId)
    {
        try
        {
            while (!_stop.IsCancellationRequested)
            {
                _most = Math.Max(_most, Read(processId));
                await Task.Delay(50, _stop.Token);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            // Stopped, or the server is gone.
        }
    }
}
