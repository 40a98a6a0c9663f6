using Ingest.Server.Grpc;

namespace Ingest.Server.Tests.Grpc;

/// <summary>Tests of the transport: each runs over both HTTP/2s.</summary>
public abstract class TransportTests
{
    /// <summary>Whose HTTP/2.</summary>
    protected virtual Http2Kind Http2 => Http2Kind.Own;

    private protected Task<TestHost> StartAsync(GrpcServerOptions? options = null) =>
        TestHost.StartAsync((options ?? new GrpcServerOptions()) with { Http2 = Http2 });
}
