namespace Ingest.EndToEnd.Tests.Subscriptions;

/// <summary>What pages have to follow topics with.</summary>
internal enum WebTransport
{
    /// <summary>WebSocket.</summary>
    Socket,

    /// <summary>Server-sent events.</summary>
    Events,
}
