using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Ingest.Protocol;

namespace Ingest.Server.Grpc;

/// <summary>
/// The requests of a call as bytes:
/// <c>while (await stream.WaitToReadAsync()) while (stream.TryRead(out var message))</c>.
/// </summary>
/// <remarks>
/// <para>Hot: runs on the thread of the call's service, one caller at a time, and allocates nothing a message. A
/// message that lies in one segment of the pipe is handed out where it lies; any other is copied once into a buffer
/// rented from <see cref="ArrayPool{T}.Shared"/>, which goes back before the stream waits.</para>
/// <para>All frames of a read are handed out before the next read. What remains, the front part of a frame, moves into
/// the rented buffer, so the pipe is always emptied: a 16 MiB message needs no 16 MiB window, and a half frame does not
/// spin. The buffer grows with what has arrived, not with what the header promises.</para>
/// <para>Watched by the test that asserts 0 allocated bytes a message.</para>
/// </remarks>
public sealed partial class RequestStream
{
    private readonly PipeReader _reader;
    private readonly int _maxMessageBytes;
    private readonly bool _gzip;
    private readonly MethodMetrics _metrics;
    private readonly RequestMemory? _memory;
    private readonly CancellationToken _cancellationToken;

    // What of the last read is not handed out; _segment is its first segment, of which _offset bytes are done with.
    private ReadOnlySequence<byte> _buffer;
    private ReadOnlyMemory<byte> _segment;
    private int _offset;
    private bool _holdsRead;
    private bool _ended;
    private long _publishedMessages;

    /// <summary>Makes the request stream of a call.</summary>
    /// <param name="reader">The request's body.</param>
    /// <param name="maxMessageBytes">Limit of a message, compressed and decompressed.</param>
    /// <param name="gzip">Whether compressed messages are gzip; otherwise they are refused.</param>
    /// <param name="metrics">Where messages are counted, once a read.</param>
    /// <param name="cancellationToken">What to blame when a read is cancelled.</param>
    /// <param name="memory">Counts what is held of messages that have come in part; null: nobody does.</param>
    internal RequestStream(
        PipeReader reader, int maxMessageBytes, bool gzip, MethodMetrics metrics, CancellationToken cancellationToken,
        RequestMemory? memory = null)
    {
        _memory = memory;
        _metrics = metrics;
        _reader = reader;
        _maxMessageBytes = maxMessageBytes;
        _gzip = gzip;
        _cancellationToken = cancellationToken;
    }

    /// <summary>Whether the last message handed out came compressed.</summary>
    public bool LastMessageWasCompressed { get; private set; }

    /// <summary>Messages handed out so far.</summary>
    public long MessageCount { get; private set; }

    /// <summary>Hands out the next message that has arrived whole, without waiting.</summary>
    /// <param name="message">The message, valid until the next call of this or <see cref="WaitToReadAsync"/>.</param>
    /// <returns>False when none has; then <see cref="WaitToReadAsync"/> is next.</returns>
    /// <exception cref="RpcException">
    /// INTERNAL for a frame that breaks the protocol, RESOURCE_EXHAUSTED for a message over the limit. It ends the
    /// call.
    /// </exception>
    public bool TryRead(out ReadOnlySpan<byte> message)
    {
        var unread = _segment.Span[_offset..];
        if (unread.Length >= MessageFrame.HeaderBytes)
        {
            var length = BinaryPrimitives.ReadUInt32BigEndian(unread[1..]);
            if (unread[0] == 0 && length <= (uint)(unread.Length - MessageFrame.HeaderBytes)
                && length <= (uint)_maxMessageBytes)
            {
                message = unread.Slice(MessageFrame.HeaderBytes, (int)length);
                _offset += MessageFrame.HeaderBytes + (int)length;
                MessageCount++;
                LastMessageWasCompressed = false;
                return true;
            }
        }

        return TryReadSlow(out message);
    }

    /// <summary>Waits until <see cref="TryRead"/> has a message.</summary>
    /// <returns>False when the client has half-closed the call and all messages are handed out.</returns>
    /// <exception cref="OperationCanceledException">The call was cancelled, or the client is gone.</exception>
    /// <exception cref="RpcException">As <see cref="TryRead"/>; INTERNAL when the request ends within a frame.
    /// </exception>
    public ValueTask<bool> WaitToReadAsync()
    {
        if (PrepareFrame())
        {
            return new ValueTask<bool>(true);
        }

        while (!_ended)
        {
            ReleaseRead();
            var read = BeginRead();
            if (!read.IsCompletedSuccessfully)
            {
                return WaitAsync(this, read);
            }

            if (AcceptRead(read.Result))
            {
                return new ValueTask<bool>(true);
            }
        }

        return new ValueTask<bool>(false);

        [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
        static async ValueTask<bool> WaitAsync(RequestStream stream, ValueTask<ReadResult> read)
        {
            // A stream that waits owns nothing but the part of a message that it has.
            if (stream._frameBytes < 0)
            {
                stream.ReturnBuffers();
            }

            while (true)
            {
                ReadResult result;
                try
                {
                    result = await read;
                }
                catch (Exception error) when (error is not (OperationCanceledException or RpcException))
                {
                    GrpcErrors.ThrowClientGone(error, stream._cancellationToken);
                    throw;
                }

                if (stream.AcceptRead(result) || stream._ended)
                {
                    return !stream._ended;
                }

                stream.ReleaseRead();
                read = stream.BeginRead();
            }
        }
    }

    /// <summary>Begins a read; of a client that has left between two reads Kestrel's reader throws at once.</summary>
    private ValueTask<ReadResult> BeginRead()
    {
        try
        {
            return _reader.ReadAsync(CancellationToken.None);
        }
        catch (Exception error) when (error is IOException or OperationCanceledException)
        {
            GrpcErrors.ThrowClientGone(error, _cancellationToken);
            throw;
        }
    }

    /// <summary>
    /// Wakes the wait for a message, or the next one if none waits: it throws <see cref="OperationCanceledException"/>.
    /// May be called by another thread than the reader's, while the call's service runs.
    /// </summary>
    internal void Interrupt()
    {
        try
        {
            _reader.CancelPendingRead();
        }
        catch (Exception error) when (error is IOException or OperationCanceledException)
        {
            // The client is gone, which Kestrel says here too: the wait fails by itself.
        }
    }

    /// <summary>Gives back what the stream holds; it reads no more.</summary>
    internal void End()
    {
        ReleaseRead();
        ReturnBuffers();
        _frameBytes = -1;
        _ended = true;
    }

    private bool TryReadSlow(out ReadOnlySpan<byte> message)
    {
        if (!PrepareFrame())
        {
            message = default;
            return false;
        }

        if (_frameBytes >= 0)
        {
            // The gathered frame comes first; only now may the fast path see what follows it.
            message = Unpack(_frameFlags, _frameBytes);
            MessageCount++;
            _frameBytes = -1;
            LoadSegment();
            return true;
        }

        var flags = ReadHeader(out var length);
        var body = _buffer.Slice(MessageFrame.HeaderBytes, length);
        if (body.IsSingleSegment && flags == 0)
        {
            message = body.FirstSpan;
            LastMessageWasCompressed = false;
        }
        else
        {
            EnsureScratch((int)length, used: 0);
            body.CopyTo(_scratch);
            message = Unpack(flags, (int)length);
        }

        MessageCount++;
        _buffer = _buffer.Slice(body.End);
        LoadSegment();
        return true;
    }

    /// <summary>Looks for a whole frame at the front; begins to gather one whose header alone is there.</summary>
    private bool PrepareFrame()
    {
        if (_frameBytes >= 0)
        {
            return _gathered == _frameBytes;
        }

        if (_offset > 0)
        {
            _buffer = _buffer.Slice(_offset);
            LoadSegment();
        }

        if (_buffer.Length < MessageFrame.HeaderBytes)
        {
            return false;
        }

        var flags = ReadHeader(out var length);
        if (flags > MessageFrame.CompressedFlag)
        {
            GrpcErrors.ThrowReservedFlags(flags);
        }

        if (flags == MessageFrame.CompressedFlag && !_gzip)
        {
            GrpcErrors.ThrowCompressedWithoutEncoding();
        }

        if (length > (uint)_maxMessageBytes)
        {
            GrpcErrors.ThrowTooLarge(length, _maxMessageBytes);
        }

        if (_buffer.Length - MessageFrame.HeaderBytes >= length)
        {
            return true;
        }

        _frameFlags = flags;
        _frameBytes = (int)length;
        _gathered = 0;
        _buffer = _buffer.Slice(MessageFrame.HeaderBytes);
        Gather();
        return false;
    }

    /// <summary>Takes over what was read.</summary>
    /// <returns>Whether a message can be handed out.</returns>
    private bool AcceptRead(ReadResult result)
    {
        _buffer = result.Buffer;
        _holdsRead = true;
        if (result.IsCanceled)
        {
            GrpcErrors.ThrowClientGone(null, _cancellationToken);
        }

        if (_frameBytes >= 0)
        {
            Gather();
        }
        else
        {
            LoadSegment();
        }

        if (PrepareFrame())
        {
            return true;
        }

        if (result.IsCompleted)
        {
            if (_frameBytes >= 0 || !_buffer.IsEmpty)
            {
                GrpcErrors.ThrowTruncated();
            }

            _ended = true;
        }

        return false;
    }

    private byte ReadHeader(out uint messageBytes)
    {
        if (_segment.Length >= MessageFrame.HeaderBytes)
        {
            return MessageFrame.ReadHeader(_segment.Span, out messageBytes);
        }

        Span<byte> header = stackalloc byte[MessageFrame.HeaderBytes];
        _buffer.Slice(0, MessageFrame.HeaderBytes).CopyTo(header);
        return MessageFrame.ReadHeader(header, out messageBytes);
    }

    private void LoadSegment()
    {
        _segment = _buffer.First;
        _offset = 0;
    }

    private void ReleaseRead()
    {
        if (MessageCount != _publishedMessages)
        {
            _metrics.OnReceived(MessageCount - _publishedMessages);
            _publishedMessages = MessageCount;
        }

        if (_holdsRead)
        {
            _holdsRead = false;
            _segment = default;
            _offset = 0;
            _reader.AdvanceTo(_buffer.Start, _buffer.End);
            _buffer = default;
        }
    }
}
