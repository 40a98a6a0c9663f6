using Ingest.Server.Grpc;

namespace Ingest.Server.Tests.Grpc;

/// <summary>The same over Kestrel's HTTP/2.</summary>
public sealed class KestrelCancellationTests : CancellationTests
{
    protected override Http2Kind Http2 => Http2Kind.Kestrel;
}
