using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Ingest.Columns;

/// <summary>A column of numbers of one width.</summary>
internal sealed class FixedColumn(int width) : Column
{
    private byte[] _data = [];

    public int Width => width;

    /// <summary>Where a row's value lies; <see cref="EnsureRow"/> has made room.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref byte Slot(int row) =>
        ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_data), (nint)(uint)row * width);

    /// <summary>A row's value, of a type that is as wide as the column.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref T Slot<T>(int row)
        where T : unmanaged
    {
        Debug.Assert(Unsafe.SizeOf<T>() == width, "the column's own width");
        return ref Unsafe.Add(
            ref Unsafe.As<byte, T>(ref MemoryMarshal.GetArrayDataReference(_data)), (nint)(uint)row);
    }

    /// <summary>The bytes of a row's value.</summary>
    public ReadOnlySpan<byte> Value(int row) => _data.AsSpan(row * width, width);

    /// <summary>The bytes of some rows' values, to be written.</summary>
    public Span<byte> Values(int row, int count) => _data.AsSpan(row * width, count * width);

    public override void EnsureRow(int row)
    {
        if ((row + 1) * width > _data.Length)
        {
            ColumnMemory.Grow(ref _data, (row + 1) * width, Batch.RowsAtFirst * width);
        }
    }

    public override void WriteDefault(int row) => _data.AsSpan(row * width, width).Clear();

    public override void WriteDefaults(int row, int count) => Values(row, count).Clear();

    public override void Rewind(int row)
    {
    }

    public override void Truncate(int rows, int count)
    {
    }

    public override void RemoveRows(int first, int count, int rows) =>
        ColumnMemory.Remove(_data, first * width, count * width, rows * width);

    public override void Encode(BlockBuilder block, int rows) => block.Add(_data.AsMemory(0, rows * width));

    public override void Reset(int rows) => ColumnMemory.Shrink(ref _data, Batch.ItemsKept * width);

    public override long EncodedBytes(int rows) => (long)rows * width;

    public override long HeldBytes => _data.Length;
}
