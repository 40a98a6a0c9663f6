using System.Buffers;
using System.Buffers.Text;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Google.Protobuf;
using Ingest.Protocol;

namespace Ingest.Server.Grpc;

/// <summary>The responses of a call as bytes.</summary>
/// <remarks>
/// Used by one caller at a time. <c>Write</c> frames a message into the connection's buffer and sends nothing;
/// <see cref="FlushAsync"/> sends what is there and waits while the client does not read. Who writes without flushing
/// bounds <see cref="UnflushedBytes"/>.
/// </remarks>
public sealed class ResponseStream
{
    /// <summary>Below this a frame is written into one span, above it in pieces as the pipe has room.</summary>
    private const int SingleSpanBytes = 4096;

    private readonly CallContext _call;
    private readonly PipeWriter _writer;
    private readonly bool _base64;
    private readonly MethodMetrics _metrics;
    private long _publishedMessages;

    // Memory of the writer, and how much of it is written and not told yet.
    private Memory<byte> _block;
    private int _taken;

    internal ResponseStream(CallContext call, PipeWriter writer, WireFormat format, MethodMetrics metrics)
    {
        _metrics = metrics;
        _call = call;
        _writer = writer;
        _base64 = format == WireFormat.WebText;
    }

    /// <summary>Bytes written since the last flush, frame headers included.</summary>
    public long UnflushedBytes { get; private set; }

    /// <summary>Messages written so far.</summary>
    public long MessageCount { get; private set; }

    /// <summary>Frames a serialised message.</summary>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    public void Write(ReadOnlySpan<byte> message) => Write(message, default);

    /// <summary>
    /// Frames one message from two pieces: a part that many calls share and one of this call's own, say. Protobuf
    /// messages can be joined so.
    /// </summary>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    public void Write(ReadOnlySpan<byte> head, ReadOnlySpan<byte> tail) => Write(default, head, tail);

    /// <summary>
    /// Frames one message from three pieces: a field's tag and length before what many calls share, and what is this
    /// call's own behind it.
    /// </summary>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    public void Write(ReadOnlySpan<byte> head, ReadOnlySpan<byte> middle, ReadOnlySpan<byte> tail)
    {
        _call.BeginWrite();
        var length = head.Length + middle.Length + tail.Length;
        if (length <= SingleSpanBytes && !_base64 && !_call.CompressesNow)
        {
            var frame = Room(MessageFrame.HeaderBytes + length);
            MessageFrame.WriteHeader(frame, 0, length);
            frame = frame[MessageFrame.HeaderBytes..];
            head.CopyTo(frame);
            frame = frame[head.Length..];
            middle.CopyTo(frame);
            tail.CopyTo(frame[middle.Length..]);
            Take(MessageFrame.HeaderBytes + length);
        }
        else
        {
            WriteLarge(head, middle, tail);
        }

        MessageCount++;
    }

    /// <summary>Serialises and frames a message.</summary>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    public void Write(IMessage message)
    {
        _call.BeginWrite();
        if (_base64 || _call.CompressesNow)
        {
            Write(message.ToByteArray());
            return;
        }

        var length = message.CalculateSize();
        if (length <= SingleSpanBytes)
        {
            var frame = Room(MessageFrame.HeaderBytes + length);
            MessageFrame.WriteHeader(frame, 0, length);
            message.WriteTo(frame.Slice(MessageFrame.HeaderBytes, length));
            Take(MessageFrame.HeaderBytes + length);
        }
        else
        {
            WriteHeader(0, length);
            Commit();
            message.WriteTo(_writer);
            UnflushedBytes += length;
        }

        MessageCount++;
    }

    /// <summary>Sends what was written and waits while the client does not read.</summary>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    public ValueTask FlushAsync()
    {
        _call.BeginWrite();
        Commit();
        PublishCount();
        UnflushedBytes = 0;
        var flush = _writer.FlushAsync(CancellationToken.None);
        if (!flush.IsCompletedSuccessfully)
        {
            return WaitAsync(_call, flush);
        }

        _ = flush.Result;
        _call.CancellationToken.ThrowIfCancellationRequested();
        return default;

        [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
        static async ValueTask WaitAsync(CallContext call, ValueTask<FlushResult> flush)
        {
            try
            {
                await flush;
            }
            catch (Exception error) when (error is not OperationCanceledException)
            {
                GrpcErrors.ThrowClientGone(error, call.CancellationToken);
            }

            call.CancellationToken.ThrowIfCancellationRequested();
        }
    }

    /// <summary>Writes a serialised message and sends it.</summary>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    public ValueTask WriteAsync(ReadOnlySpan<byte> message)
    {
        Write(message);
        return FlushAsync();
    }

    /// <summary>Writes a message and sends it.</summary>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    public ValueTask WriteAsync(IMessage message)
    {
        Write(message);
        return FlushAsync();
    }

    /// <summary>Writes the last frame of gRPC-Web: the trailers as text.</summary>
    internal void WriteWebTrailers(ReadOnlySpan<byte> trailers) => WriteFrame(MessageFrame.WebTrailersFlag, trailers);

    /// <summary>Hands what was written to the connection's buffer; a call that ends has to.</summary>
    internal void Commit()
    {
        if (_taken > 0)
        {
            _writer.Advance(_taken);
            _taken = 0;
        }

        _block = default;
    }

    /// <summary>Adds what was written since the last time to the method's messages.</summary>
    internal void PublishCount()
    {
        if (MessageCount != _publishedMessages)
        {
            _metrics.OnSent(MessageCount - _publishedMessages);
            _publishedMessages = MessageCount;
        }
    }

    private void WriteTransformed(ReadOnlySpan<byte> message)
    {
        if (!_call.CompressesNow)
        {
            WriteFrame(0, message);
            return;
        }

        using var compressed = new MemoryStream();
        GzipCodec.Compress(message, compressed);
        WriteFrame(MessageFrame.CompressedFlag, compressed.GetBuffer().AsSpan(0, (int)compressed.Length));
    }

    private void WriteFrame(byte flags, ReadOnlySpan<byte> body)
    {
        if (!_base64)
        {
            WriteHeader(flags, body.Length);
            Commit();
            _writer.Write(body);
            UnflushedBytes += body.Length;
            return;
        }

        // Each frame is base64 of its own, padded: what browsers can read before the rest has come.
        var length = MessageFrame.HeaderBytes + body.Length;
        var frame = ArrayPool<byte>.Shared.Rent(length);
        MessageFrame.WriteHeader(frame, flags, body.Length);
        body.CopyTo(frame.AsSpan(MessageFrame.HeaderBytes));
        var text = ArrayPool<byte>.Shared.Rent(Base64.GetMaxEncodedToUtf8Length(length));
        Base64.EncodeToUtf8(frame.AsSpan(0, length), text, out _, out var written);
        Commit();
        _writer.Write(text.AsSpan(0, written));
        UnflushedBytes += written;
        ArrayPool<byte>.Shared.Return(text);
        ArrayPool<byte>.Shared.Return(frame);
    }

    private void WriteLarge(ReadOnlySpan<byte> head, ReadOnlySpan<byte> middle, ReadOnlySpan<byte> tail)
    {
        var length = head.Length + middle.Length + tail.Length;
        if (_base64 || _call.CompressesNow)
        {
            var joined = ArrayPool<byte>.Shared.Rent(length);
            head.CopyTo(joined);
            middle.CopyTo(joined.AsSpan(head.Length));
            tail.CopyTo(joined.AsSpan(head.Length + middle.Length));
            WriteTransformed(joined.AsSpan(0, length));
            ArrayPool<byte>.Shared.Return(joined);
            return;
        }

        WriteHeader(0, length);
        Commit();
        _writer.Write(head);
        _writer.Write(middle);
        _writer.Write(tail);
        UnflushedBytes += length;
    }

    private void WriteHeader(byte flags, int length)
    {
        MessageFrame.WriteHeader(Room(MessageFrame.HeaderBytes), flags, length);
        Take(MessageFrame.HeaderBytes);
    }

    // Kestrel takes locks and looks at the stream's state each time that it is asked for memory, or told what was
    // written: once a block instead of once a message.
    private Span<byte> Room(int bytes)
    {
        if (_block.Length - _taken < bytes)
        {
            Commit();
            _block = _writer.GetMemory(bytes);
        }

        return _block.Span[_taken..];
    }

    private void Take(int count)
    {
        _taken += count;
        UnflushedBytes += count;
    }
}
