using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Text.Unicode;

namespace Ingest.Columns;

/// <summary>A column of strings: a varint length and the bytes of each, one after the other.</summary>
/// <remarks>Hot: 0 bytes allocated a row in steady state. Watched by DecodeBenchmarks.</remarks>
internal sealed partial class StringColumn : Column
{
    private const int BytesKept = Batch.RowsKept * 64;
    private const int ShortBytes = 32;

    private byte[] _data = [];
    private int _start;
    private int _end;

    /// <summary>Length in bytes of the value written last.</summary>
    public int LastLength { get; private set; }

    /// <summary>
    /// Appends a value. <paramref name="slack"/> bytes from <paramref name="source"/> on may be read.
    /// </summary>
    /// <returns>
    /// False when <paramref name="validate"/> is set and the bytes are not UTF-8; nothing is written.
    /// </returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryAppend(ref byte source, int length, int slack, bool validate)
    {
        _start = _end;
        if (length > ShortBytes || slack < ShortBytes || _data.Length - _end <= ShortBytes)
        {
            return TryAppendSlow(ref source, length, validate);
        }

        // A short value with room on both sides: one load, one test, one store.
        Vector256<byte> bytes = Vector256.LoadUnsafe(ref source);
        uint beyondAscii = bytes.ExtractMostSignificantBits() & (uint)((1UL << length) - 1);
        if (validate && beyondAscii != 0)
        {
            return TryAppendSlow(ref source, length, validate);
        }

        ref byte target = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_data), (nint)(uint)_end);
        target = (byte)length;
        bytes.StoreUnsafe(ref target, 1);
        _end += length + 1;
        LastLength = length;
        return true;
    }

    /// <summary>Says that the value to come is the row's first, so that <see cref="Rewind"/> takes no other.</summary>
    public void BeginRow() => _start = _end;

    public void Append(ReadOnlySpan<byte> value)
    {
        bool appended = TryAppendSlow(ref MemoryMarshal.GetReference(value), value.Length, validate: false);
        Debug.Assert(appended, "not validated");
    }

    /// <summary>Bytes written so far.</summary>
    public int End => _end;

    public override int Mark => _end;

    public override void RewindItems(int item, int mark) => (_start, _end) = (mark, mark);

    public override void EnsureRow(int row)
    {
    }

    public override void WriteDefault(int row)
    {
        _start = _end;
        if (_end == _data.Length)
        {
            ColumnMemory.Grow(ref _data, _end + 1, Batch.RowsAtFirst);
        }

        _data[_end++] = 0;
        LastLength = 0;
    }

    public override void Rewind(int row) => _end = _start;

    public override void Truncate(int rows, int count)
    {
        RewindItems(rows, PlaceOf(rows, 0));
    }

    public override void RemoveRows(int first, int count, int rows)
    {
        int start = PlaceOf(first, 0);
        int end = PlaceOf(count, start);
        ColumnMemory.Remove(_data, start, end - start, _end);
        _end -= end - start;
        _start = _end;
    }

    public override void Encode(BlockBuilder block, int rows) => block.Add(_data.AsMemory(0, _end));

    public override void Reset(int rows)
    {
        (_start, _end) = (0, 0);
        ColumnMemory.Shrink(ref _data, BytesKept);
    }

    public override long EncodedBytes(int rows) => _end;

    public override long HeldBytes => _data.Length;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool TryAppendSlow(ref byte source, int length, bool validate)
    {
        _start = _end;
        ReadOnlySpan<byte> value = MemoryMarshal.CreateReadOnlySpan(ref source, length);
        if (validate && !Utf8.IsValid(value))
        {
            return false;
        }

        // Room for the fast path's wide store after this value too.
        int needed = _end + NativeFormat.MaxVarintBytes + length + ShortBytes;
        if (_data.Length < needed)
        {
            ColumnMemory.Grow(ref _data, needed, Batch.RowsAtFirst * 16);
        }

        _end += NativeFormat.WriteVarint(_data.AsSpan(_end), (ulong)length);
        value.CopyTo(_data.AsSpan(_end));
        _end += length;
        LastLength = length;
        return true;
    }

    /// <summary>The values in Native form.</summary>
    public ReadOnlySpan<byte> Bytes => _data.AsSpan(0, _end);

    /// <summary>Where each value ends.</summary>
    public void CopyEnds(Span<int> ends)
    {
        int at = 0;
        foreach (ref int end in ends)
        {
            end = at = PlaceOf(1, at);
        }
    }

    // Where so many values end that begin at a place.
    private int PlaceOf(int values, int at)
    {
        for (int value = 0; value < values; value++)
        {
            at += Read(at, out int length) + length;
        }

        return at;
    }

    private int Read(int at, out int length)
    {
        int shift = 0;
        int count = 0;
        length = 0;
        byte current;
        do
        {
            current = _data[at + count++];
            length |= (current & 0x7f) << shift;
            shift += 7;
        }
        while (current >= 0x80);
        return count;
    }
}
