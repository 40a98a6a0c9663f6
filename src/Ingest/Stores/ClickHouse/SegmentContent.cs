using System.Buffers;
using System.IO.Compression;
using System.Net;
using Ingest.Log;

namespace Ingest.Stores.ClickHouse;

/// <summary>The bytes of a segment as the body of a request.</summary>
/// <remarks>
/// Read from the file into one pooled buffer and written from there to the connection: HttpClient hides the socket, so
/// sendfile, which would save this copy, cannot be had. Without compression the length is said beforehand, so a server
/// sees a body that broke off.
/// </remarks>
internal sealed class SegmentContent : HttpContent
{
    private const int BufferBytes = 256 << 10;

    private readonly SealedSegment _segment;
    private readonly bool _isCompressed;

    public SegmentContent(SealedSegment segment, string compression)
    {
        _segment = segment;
        _isCompressed = compression == BodyCompression.Gzip;
        if (_isCompressed)
        {
            Headers.ContentEncoding.Add("gzip");
        }
    }

    /// <inheritdoc/>
    protected override bool TryComputeLength(out long length)
    {
        length = _segment.Length;
        return !_isCompressed;
    }

    /// <inheritdoc/>
    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    /// <inheritdoc/>
    protected override async Task SerializeToStreamAsync(
        Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        if (!_isCompressed)
        {
            await CopyAsync(stream, cancellationToken);
            return;
        }

        // Not disposed when copying fails: that would end half a segment as if it were whole.
        var compressed = new GZipStream(stream, CompressionLevel.Fastest, leaveOpen: true);
        await CopyAsync(compressed, cancellationToken);
        await compressed.DisposeAsync();
    }

    private async Task CopyAsync(Stream stream, CancellationToken cancellationToken)
    {
        using SegmentReader segment = SegmentReader.Open(_segment);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            while (segment.Read(buffer) is var read and > 0)
            {
                await stream.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
