namespace Ingest.Server.Realtime;

/// <summary>Counts of what connections do; named and given units in <see cref="Observability.Metrics"/>.</summary>
/// <remarks>Safe for use by several threads at once. Sent messages are counted once a turn, not once a
/// message.</remarks>
internal sealed class RealtimeMetrics
{
    private readonly PerTransport[] _transports = [new(), new()];
    private long _received;
    private long _errors;
    private long _refused;
    private long _broadcastsMissed;

    /// <summary>Messages of clients.</summary>
    public long Received => Interlocked.Read(ref _received);

    /// <summary>Error messages sent to clients, and connections cut off.</summary>
    public long Errors => Interlocked.Read(ref _errors);

    /// <summary>Connections refused: too many, a page of another origin, a request that makes no sense.</summary>
    public long Refused => Interlocked.Read(ref _refused);

    /// <summary>Messages to all that a connection did not get, since its client was slow.</summary>
    public long BroadcastsMissed => Interlocked.Read(ref _broadcastsMissed);

    /// <summary>Messages sent, all transports.</summary>
    public long Sent => Of(RealtimeTransport.WebSocket).Sent + Of(RealtimeTransport.Sse).Sent;

    /// <summary>The counts of a transport.</summary>
    public PerTransport Of(RealtimeTransport transport) => _transports[(int)transport];

    /// <summary>Counts a client's message.</summary>
    public void OnReceived() => Interlocked.Increment(ref _received);

    /// <summary>Counts an error message, or a connection cut off.</summary>
    public void OnError() => Interlocked.Increment(ref _errors);

    /// <summary>Counts a connection refused.</summary>
    public void OnRefused() => Interlocked.Increment(ref _refused);

    /// <summary>Counts a message to all that a connection did not get.</summary>
    public void OnBroadcastMissed() => Interlocked.Increment(ref _broadcastsMissed);

    /// <summary>Counts of one transport.</summary>
    public sealed class PerTransport
    {
        private long _opened;
        private long _active;
        private long _sent;
        private long _bytes;
        private long _unread;
        private long _tooSlow;

        /// <summary>Connections that were opened.</summary>
        public long Opened => Interlocked.Read(ref _opened);

        /// <summary>Connections now.</summary>
        public long Active => Interlocked.Read(ref _active);

        /// <summary>Messages sent.</summary>
        public long Sent => Interlocked.Read(ref _sent);

        /// <summary>Bytes of them.</summary>
        public long SentBytes => Interlocked.Read(ref _bytes);

        /// <summary>Connections cut off since the client took nothing.</summary>
        public long Unread => Interlocked.Read(ref _unread);

        /// <summary>Connections ended by the policy <c>disconnect</c>.</summary>
        public long TooSlow => Interlocked.Read(ref _tooSlow);

        /// <summary>Counts a connection in.</summary>
        public void OnOpened()
        {
            Interlocked.Increment(ref _opened);
            Interlocked.Increment(ref _active);
        }

        /// <summary>Counts a connection out.</summary>
        public void OnClosed() => Interlocked.Decrement(ref _active);

        /// <summary>Counts what one turn sent.</summary>
        public void OnSent(long messages, long bytes)
        {
            Interlocked.Add(ref _sent, messages);
            Interlocked.Add(ref _bytes, bytes);
        }

        /// <summary>Counts a connection cut off.</summary>
        public void OnUnread() => Interlocked.Increment(ref _unread);

        /// <summary>Counts a connection ended for being slow.</summary>
        public void OnTooSlow() => Interlocked.Increment(ref _tooSlow);
    }
}
