using System.IO.Pipelines;

namespace Ingest.Server.Realtime;

/// <summary>A connection's way out: one writer at a time, and a client that takes nothing is cut off.</summary>
/// <remarks>
/// What waits here is bounded: Kestrel holds 64 KiB of a response, beside what one turn writes
/// (<see cref="TurnBytes"/> and a message), and a writer then waits for the client. Nothing is queued.
/// </remarks>
#pragma warning disable CA1001 // Of the semaphore: see there.
internal sealed class RealtimeOutput(HttpContext http, PipeWriter pipe, TimeSpan unreadTimeout, TimeProvider time)
#pragma warning restore CA1001
{
    /// <summary>Bytes after which a writer flushes and lets others have their turn.</summary>
    public const int TurnBytes = 16 * 1024;

    // Never disposed: who still waits when the connection has ended has to see that it has. It holds no handle.
    private readonly SemaphoreSlim _turn = new(1, 1);

    /// <summary>Where to write, by who has the turn.</summary>
    public PipeWriter Pipe { get; } = pipe;

    /// <summary>When something was last flushed, as <see cref="TimeProvider.GetTimestamp"/> counts.</summary>
    public long FlushedAt { get; private set; } = time.GetTimestamp();

    /// <summary>Whether the client was cut off because it took nothing.</summary>
    public bool WasUnread { get; private set; }

    /// <summary>Whether somebody writes, or waits for the client.</summary>
    public bool IsBusy => _turn.CurrentCount == 0;

    /// <summary>Waits for the turn.</summary>
    public Task EnterAsync(CancellationToken cancellationToken = default) => _turn.WaitAsync(cancellationToken);

    /// <summary>Gives the turn to the next.</summary>
    public void Exit() => _turn.Release();

    /// <summary>Whether the request has ended, and nothing may be written any more.</summary>
    public bool IsClosed { get; private set; }

    /// <summary>Ends it; by who has the turn.</summary>
    public void Close() => IsClosed = true;

    /// <summary>Sends what was written.</summary>
    /// <returns>False when the client is gone, or was cut off.</returns>
    public ValueTask<bool> FlushAsync()
    {
        ValueTask<FlushResult> flush = Pipe.FlushAsync();
        return flush.IsCompletedSuccessfully ? new(IsThere(flush.Result)) : WaitAsync(this, flush);

        static async ValueTask<bool> WaitAsync(RealtimeOutput output, ValueTask<FlushResult> flush) =>
            output.IsThere(await output.WaitForClientAsync(flush.AsTask()));
    }

    private async Task<FlushResult> WaitForClientAsync(Task<FlushResult> flush)
    {
        try
        {
            return await flush.WaitAsync(unreadTimeout, time);
        }
        catch (TimeoutException)
        {
            WasUnread = true;
            http.Abort();
            return await flush;
        }
    }

    private bool IsThere(FlushResult result)
    {
        FlushedAt = time.GetTimestamp();
        return !result.IsCompleted && !result.IsCanceled && !http.RequestAborted.IsCancellationRequested;
    }
}
