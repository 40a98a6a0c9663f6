using System.Net;
using System.Net.Http.Headers;
using System.Threading.Channels;
using Ingest.Protocol;

namespace Ingest.Server.Tests.Grpc;

/// <summary>A request body that the test writes while the call runs.</summary>
internal sealed class StreamedContent : HttpContent
{
    private readonly Channel<byte[]> _parts = Channel.CreateUnbounded<byte[]>();

    public StreamedContent() => Headers.ContentType = new MediaTypeHeaderValue(GrpcHeaders.ContentType);

    public void Write(byte[] part) => Assert.True(_parts.Writer.TryWrite(part));

    public void Complete() => _parts.Writer.TryComplete();

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(
        Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        await stream.FlushAsync(cancellationToken);
        await foreach (var part in _parts.Reader.ReadAllAsync(cancellationToken))
        {
            await stream.WriteAsync(part, cancellationToken);
            await stream.FlushAsync(cancellationToken);
        }
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }
}
