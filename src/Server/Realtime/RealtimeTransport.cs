namespace Ingest.Server.Realtime;

/// <summary>How a connection is served.</summary>
internal enum RealtimeTransport
{
    /// <summary>WebSocket.</summary>
    WebSocket,

    /// <summary>Server-sent events.</summary>
    Sse,
}
