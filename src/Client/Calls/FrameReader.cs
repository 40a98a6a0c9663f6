using System.Buffers;
using Ingest.Protocol;

namespace Ingest.Client.Calls;

/// <summary>Reads the frames of a response body. For one reader; a message is valid until the next read.</summary>
internal sealed class FrameReader(Stream body, string encoding, int maxMessageBytes) : IDisposable
{
    private const int InitialBufferBytes = 16 * 1024;

    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(InitialBufferBytes);
    private byte[] _inflated = [];
    private int _start;
    private int _end;

    /// <summary>Reads the next message; null at the end of the body.</summary>
    /// <exception cref="RpcException">A frame is cut off, too large, or compressed in a way that is not known.</exception>
    public async ValueTask<ReadOnlyMemory<byte>?> ReadAsync(CancellationToken cancellationToken)
    {
        if (!await EnsureAsync(MessageFrame.HeaderBytes, cancellationToken).ConfigureAwait(false))
        {
            return _start == _end ? null : throw CutOff();
        }
        var flags = MessageFrame.ReadHeader(_buffer.AsSpan(_start), out var length);
        if (length > (uint)maxMessageBytes)
        {
            throw TooLarge($"{length} bytes");
        }
        _start += MessageFrame.HeaderBytes;
        if (!await EnsureAsync((int)length, cancellationToken).ConfigureAwait(false))
        {
            throw CutOff();
        }
        var message = _buffer.AsMemory(_start, (int)length);
        _start += (int)length;
        return (flags & MessageFrame.CompressedFlag) == 0 ? message : Inflate(message);
    }

    public void Dispose()
    {
        if (_buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = [];
        }
        if (_inflated.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_inflated);
            _inflated = [];
        }
        body.Dispose();
    }

    private static RpcException CutOff() =>
        new(StatusCode.Internal, "The response ended in the middle of a message.");

    private RpcException TooLarge(string size) =>
        new(StatusCode.ResourceExhausted, $"A response of {size} is larger than the limit of {maxMessageBytes} bytes.");

    private ValueTask<bool> EnsureAsync(int bytes, CancellationToken cancellationToken)
    {
        return _end - _start >= bytes ? new ValueTask<bool>(true) : FillAsync(bytes, cancellationToken);
    }

    private async ValueTask<bool> FillAsync(int bytes, CancellationToken cancellationToken)
    {
        MakeRoom(bytes);
        while (_end - _start < bytes)
        {
            var read = await body.ReadAsync(_buffer.AsMemory(_end), cancellationToken).ConfigureAwait(false);
            if (read == 0)
            {
                return false;
            }
            _end += read;
        }
        return true;
    }

    private void MakeRoom(int bytes)
    {
        var kept = _buffer.AsSpan(_start, _end - _start);
        if (bytes <= _buffer.Length)
        {
            kept.CopyTo(_buffer);
        }
        else
        {
            var larger = ArrayPool<byte>.Shared.Rent(bytes);
            kept.CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = larger;
        }
        _end -= _start;
        _start = 0;
    }

    private ReadOnlyMemory<byte> Inflate(ReadOnlyMemory<byte> message)
    {
        if (!encoding.Equals(MessageCompression.Gzip, StringComparison.OrdinalIgnoreCase))
        {
            throw new RpcException(StatusCode.Internal, $"A response is compressed with '{encoding}'.");
        }
        return GzipCodec.Decompress(
            message.ToArray(), message.Length, maxMessageBytes, ref _inflated, out var length) switch
        {
            GzipCodec.Outcome.Done => _inflated.AsMemory(0, length),
            GzipCodec.Outcome.TooLarge => throw TooLarge("more bytes"),
            _ => throw new RpcException(
                StatusCode.Internal, "A response cannot be decompressed: it is not a whole gzip stream."),
        };
    }
}
