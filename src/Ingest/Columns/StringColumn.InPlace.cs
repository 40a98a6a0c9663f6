using System.Runtime.CompilerServices;

namespace Ingest.Columns;

// Values that are made where they will lie, so that they are not copied.
internal sealed partial class StringColumn
{
    // Behind the length, for which its longest form is left free until it is known.
    private const int LongStart = 5;

    /// <summary>Room for a value of at most 32 bytes; <see cref="TakeShort"/> takes it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref byte ShortRoom()
    {
        if (_data.Length - _end <= ShortBytes)
        {
            ColumnMemory.Grow(ref _data, _end + ShortBytes + 1, Batch.RowsAtFirst * 16);
        }

        return ref _data[_end + 1];
    }

    /// <summary>Takes the value that was written to <see cref="ShortRoom"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void TakeShort(int length)
    {
        _start = _end;
        _data[_end] = (byte)length;
        _end += length + 1;
        LastLength = length;
    }

    /// <summary>
    /// Room for <paramref name="count"/> bytes more of a value of which <paramref name="written"/> are there already;
    /// <see cref="TakeLong"/> takes it.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Span<byte> LongRoom(int written, int count)
    {
        int at = _end + LongStart + written;
        if (_data.Length - at < count)
        {
            ColumnMemory.Grow(ref _data, at + count, Batch.RowsAtFirst * 16);
        }

        return _data.AsSpan(at);
    }

    /// <summary>Takes the value that was written to <see cref="LongRoom"/>.</summary>
    public void TakeLong(int length)
    {
        int valueAt = _end + NativeFormat.WriteVarint(_data.AsSpan(_end), (ulong)length);
        _data.AsSpan(_end + LongStart, length).CopyTo(_data.AsSpan(valueAt));
        _start = _end;
        _end = valueAt + length;
        LastLength = length;
    }
}
