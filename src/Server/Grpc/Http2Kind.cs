namespace Ingest.Server.Grpc;

/// <summary>Whose HTTP/2 serves the gRPC port.</summary>
public enum Http2Kind
{
    /// <summary>Kestrel's.</summary>
    Kestrel,

    /// <summary>Our own, on connections that Kestrel listens for.</summary>
    Own,
}
