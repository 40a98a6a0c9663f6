using System.Diagnostics;
using Google.Protobuf;

namespace Ingest.Client;

// The writers' side: everything here runs under the gate.
public sealed partial class IngestStream<TRow>
{
    /// <summary>Serialises a row into the open frame, or many rows as columns into a frame of their own.</summary>
    private void Append(IMessage message, uint columnRows)
    {
        Debug.Assert(_gate.IsHeldByCurrentThread);
        var isAlone = columnRows > 0;
        var size = message.CalculateSize();
        var lengthBytes = CodedOutputStream.ComputeLengthSize(size);
        var bytes = KeyBytes + lengthBytes + size;
        if (_open.FrameRows > 0 && (isAlone || _open.FrameBytes + bytes > _options.MaxBatchBytes))
        {
            CloseFrame();
        }
        if (!_open.Fits(bytes))
        {
            HandOver();
            _open = Slab.Rent(Math.Max(_slabBytes, bytes + Protocol.MessageFrame.HeaderBytes));
        }
        var before = _open.Length;
        var room = _open.Append(bytes);
        try
        {
            room[0] = isAlone ? StreamKinds.ColumnsKey : StreamKinds.RowsKey;
            WriteVarint(room[KeyBytes..], (uint)size);
            message.WriteTo(room[(KeyBytes + lengthBytes)..]);
        }
        catch
        {
            // A row that another thread changes meanwhile can fail here; the stream stays whole.
            _open.Retract(bytes);
            throw;
        }
        _bufferedBytes += _open.Length - before;
        _rowCount += Math.Max(columnRows, 1);
        if (isAlone || _open.FrameRows >= _options.MaxBatchRows || _open.FrameBytes >= _options.MaxBatchBytes)
        {
            CloseFrame();
        }
        if (!_open.IsEmpty && !_lingering && _options.Linger > TimeSpan.Zero)
        {
            _lingering = true;
            _linger.Change(_options.Linger, Timeout.InfiniteTimeSpan);
        }
        else if (_options.Linger == TimeSpan.Zero && _senderIsIdle)
        {
            HandOver();
        }
    }

    /// <summary>
    /// Ends the open frame. Frames stay together until the slab is full or has lingered, so that small messages do not
    /// become small writes.
    /// </summary>
    private void CloseFrame()
    {
        _open.CloseFrame();
        if (!_open.Fits(_slabBytes / 2))
        {
            HandOver();
        }
    }

    /// <summary>Gives what was gathered to the sender.</summary>
    private void HandOver()
    {
        Debug.Assert(_gate.IsHeldByCurrentThread);
        if (_open.IsEmpty)
        {
            _open.Return();
            _open = default;
            return;
        }
        _open.CloseFrame();
        _senderIsIdle = false;
        if (!_outbox.Writer.TryWrite(new Parcel(_open, null)))
        {
            _open.Return();
        }
        _open = default;
    }

    private void OnLingered()
    {
        lock (_gate)
        {
            _lingering = false;
            if (!_completed && _fault is null)
            {
                HandOver();
            }
        }
    }

    /// <summary><c>varint: 7 bits a byte, lowest first, high bit set on all but the last</c></summary>
    private static void WriteVarint(Span<byte> destination, uint value)
    {
        var i = 0;
        for (; value >= 0x80; value >>= 7)
        {
            destination[i++] = (byte)(value | 0x80);
        }
        destination[i] = (byte)value;
    }
}
