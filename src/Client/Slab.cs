using System.Buffers;
using Ingest.Protocol;

namespace Ingest.Client;

/// <summary>
/// A pooled buffer that frames are built in: <c>complete frames, then the open frame</c>. Rows are written straight
/// into it; nothing is copied on the way to the socket.
/// </summary>
/// <remarks>Has one owner at a time: the stream's lock while it is filled, then the sender.</remarks>
internal struct Slab
{
    private byte[]? _buffer;
    private int _length;
    private int _frameStart;

    /// <summary>Bytes written, headers included.</summary>
    public readonly int Length => _length;

    /// <summary>Rows in the open frame.</summary>
    public int FrameRows { get; private set; }

    /// <summary>Bytes of the open frame, without its header.</summary>
    public readonly int FrameBytes => FrameRows == 0 ? 0 : _length - _frameStart - MessageFrame.HeaderBytes;

    /// <summary>Whether nothing was written.</summary>
    public readonly bool IsEmpty => _length == 0;

    /// <summary>What is to be sent. Close the frame first.</summary>
    public readonly ReadOnlyMemory<byte> Written => _buffer.AsMemory(0, _length);

    /// <summary>Makes a slab with at least that capacity.</summary>
    public static Slab Rent(int capacity) => new() { _buffer = ArrayPool<byte>.Shared.Rent(capacity) };

    /// <summary>Whether a row of that many bytes, its key and length included, fits.</summary>
    public readonly bool Fits(int bytes) =>
        _buffer is not null && _buffer.Length - _length >= bytes + (FrameRows == 0 ? MessageFrame.HeaderBytes : 0);

    /// <summary>Opens room for a row in the open frame, or in a new one when none is open.</summary>
    public Span<byte> Append(int bytes)
    {
        if (FrameRows == 0)
        {
            _frameStart = _length;
            _length += MessageFrame.HeaderBytes;
        }
        FrameRows++;
        var room = _buffer.AsSpan(_length, bytes);
        _length += bytes;
        return room;
    }

    /// <summary>Takes the last <see cref="Append"/> back, whose row could not be written.</summary>
    public void Retract(int bytes)
    {
        FrameRows--;
        _length = FrameRows == 0 ? _frameStart : _length - bytes;
    }

    /// <summary>Writes the open frame's header; the next row begins another frame.</summary>
    public void CloseFrame()
    {
        if (FrameRows > 0)
        {
            MessageFrame.WriteHeader(_buffer.AsSpan(_frameStart), flags: 0, FrameBytes);
            FrameRows = 0;
        }
    }

    /// <summary>Gives the buffer back to the pool. The one place that does.</summary>
    public void Return()
    {
        if (_buffer is not null)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = null;
        }
    }
}
