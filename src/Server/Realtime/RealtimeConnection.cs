using System.IO.Pipelines;
using Ingest.Topics;

namespace Ingest.Server.Realtime;

/// <summary>A client that is connected, however.</summary>
internal abstract class RealtimeConnection
{
    // Messages to all that a connection may have waiting while its client is slow.
    private const int MaxWaitingBroadcasts = 16;

    private readonly HttpContext _http;
    private long _sent;
    private long _sentBytes;
    private int _waitingBroadcasts;

    protected RealtimeConnection(
        HttpContext http, PipeWriter pipe, RealtimeServices services, RealtimeTransport transport)
    {
        _http = http;
        Services = services;
        Transport = transport;
        Counts = services.Metrics.Of(transport);
        Remote = $"{http.Connection.RemoteIpAddress}:{http.Connection.RemotePort}";
        Path = http.Request.Path.Value ?? "";
        Since = services.Time.GetUtcNow();
        Output = new RealtimeOutput(http, pipe, services.Options.UnreadTimeout, services.Time);
    }

    /// <summary>How it is served.</summary>
    public RealtimeTransport Transport { get; }

    /// <summary>Address and port of the client.</summary>
    public string Remote { get; }

    /// <summary>Path that it came by.</summary>
    public string Path { get; }

    /// <summary>When it came.</summary>
    public DateTimeOffset Since { get; }

    /// <summary>Messages sent to it.</summary>
    public long Sent => Interlocked.Read(ref _sent);

    /// <summary>Bytes of them.</summary>
    public long SentBytes => Interlocked.Read(ref _sentBytes);

    /// <summary>Messages that came from it.</summary>
    public long Received { get; protected set; }

    /// <summary>Its subscriptions, by name.</summary>
    public abstract IReadOnlyCollection<string> SubscriptionIds { get; }

    protected RealtimeServices Services { get; }

    protected RealtimeMetrics.PerTransport Counts { get; }

    protected RealtimeOutput Output { get; }

    protected CancellationToken Gone => _http.RequestAborted;

    /// <summary>Sends a message of the server's own; waits while the client is slow.</summary>
    public abstract Task SayAsync(ReadOnlyMemory<byte> message);

    /// <summary>Ends it politely: tells the client, lets it be for a while, and closes.</summary>
    public abstract Task DrainAsync();

    /// <summary>
    /// Sends what all connections get, without waiting. One whose client is slow misses what exceeds a few.
    /// </summary>
    public void Broadcast(ReadOnlyMemory<byte> message)
    {
        if (Interlocked.Increment(ref _waitingBroadcasts) > MaxWaitingBroadcasts)
        {
            Interlocked.Decrement(ref _waitingBroadcasts);
            Services.Metrics.OnBroadcastMissed();
            return;
        }

        _ = SendAsync();

        async Task SendAsync()
        {
            try
            {
                await SayAsync(message);
            }
            catch (Exception e) when (e is IOException or OperationCanceledException)
            {
                // The client is gone.
            }

            Interlocked.Decrement(ref _waitingBroadcasts);
        }
    }

    /// <summary>Called about once a second.</summary>
    public virtual void OnTick()
    {
    }

    /// <summary>Ends it now.</summary>
    public void Abort() => _http.Abort();

    /// <summary>Begins a subscription.</summary>
    /// <exception cref="TopicException">It cannot be; the message says why.</exception>
    protected ValueTask<Subscription> SubscribeAsync(
        SubscriptionOptions options, CancellationToken cancellationToken) =>
        Services.Topics.SubscribeAsync(
            options with { Transport = RealtimeStatus.NameOf(Transport), Remote = Remote }, cancellationToken);

    /// <summary>Counts what was written.</summary>
    protected void CountSent(int messages, int bytes)
    {
        Interlocked.Add(ref _sent, messages);
        Interlocked.Add(ref _sentBytes, bytes);
        Counts.OnSent(messages, bytes);
    }

    /// <summary>Sends what was written, and counts a client that takes nothing.</summary>
    /// <returns>False when the client is gone, or was cut off.</returns>
    protected ValueTask<bool> FlushAsync()
    {
        ValueTask<bool> flush = Output.FlushAsync();
        return flush.IsCompletedSuccessfully ? flush : WaitAsync(this, flush);

        static async ValueTask<bool> WaitAsync(RealtimeConnection connection, ValueTask<bool> flush)
        {
            bool isThere = await flush;
            if (connection.Output.WasUnread)
            {
                connection.Counts.OnUnread();
                connection.Services.Metrics.OnError();
                LogMessages.RealtimeUnread(
                    connection.Services.Logger, connection.Transport, connection.Remote,
                    connection.Services.Options.UnreadTimeout);
            }

            return isThere;
        }
    }
}
