namespace Ingest.Server.Http2.Hpack;

/// <summary>Names that the transport itself looks at.</summary>
internal enum HeaderId : byte
{
    Other,
    Authority,
    Method,
    Path,
    Scheme,
    ContentLength,
    ContentType,
    Cookie,
    Host,
    Te,

    // RFC 9113, 8.2.2: these may not stand in a request.
    Connection,
    KeepAlive,
    ProxyConnection,
    TransferEncoding,
    Upgrade,
}
