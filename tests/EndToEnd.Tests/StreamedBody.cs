using System.Net;
using System.Threading.Channels;

namespace Ingest.EndToEnd.Tests;

/// <summary>The body of a gRPC request that is sent piece by piece, as the test says.</summary>
internal sealed class StreamedBody : HttpContent
{
    private readonly Channel<byte[]> _frames = Channel.CreateUnbounded<byte[]>();

    public StreamedBody() => Headers.TryAddWithoutValidation("content-type", "application/grpc");

    /// <summary>Sends bytes.</summary>
    public void Write(byte[] frame) => _frames.Writer.TryWrite(frame);

    /// <summary>Half-closes the call.</summary>
    public void Complete() => _frames.Writer.TryComplete();

    /// <summary>Leaves in mid-call.</summary>
    public void Abandon() => _frames.Writer.TryComplete(new IOException("the test has left"));

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(
        Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        await foreach (byte[] frame in _frames.Reader.ReadAllAsync(cancellationToken))
        {
            await stream.WriteAsync(frame, cancellationToken);
            await stream.FlushAsync(cancellationToken);
        }
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }
}
