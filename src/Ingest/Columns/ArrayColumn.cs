using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Ingest.Columns;

/// <summary>
/// A column of lists: for each row where its items end, and the items of all rows. A map is a list of keys and values.
/// </summary>
internal sealed class ArrayColumn(Column items, Column? values = null) : Column
{
    private readonly FixedColumn _ends = new(sizeof(ulong));
    private int _start;
    private int _itemsMark;
    private int _valuesMark;

    /// <summary>The items; the keys of a map.</summary>
    public Column Items => items;

    /// <summary>The values of a map.</summary>
    public Column? Values => values;

    /// <summary>The names of properties that rows have had; null for what is no Struct.</summary>
    public PropertyNames? Names { get; init; }

    /// <summary>Items of all rows so far.</summary>
    public int Count { get; private set; }

    /// <summary>Begins the list of a row; its items follow by <see cref="AddItem"/>.</summary>
    public void BeginRow(int row)
    {
        _start = Count;
        _itemsMark = items.Mark;
        _valuesMark = values?.Mark ?? 0;
        SetEnd(row, Count);
    }

    /// <summary>Makes room for one more item of the row and returns its place; the caller writes it there.</summary>
    public int AddItem(int row)
    {
        int item = Count++;
        SetEnd(row, Count);
        items.EnsureRow(item);
        values?.EnsureRow(item);
        return item;
    }

    /// <summary>
    /// The place of one more item of the row that was begun, for which the caller makes room;
    /// <see cref="EndRow"/> is to follow.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int TakeItem() => Count++;

    /// <summary>Ends the list of a row whose items were taken by <see cref="TakeItem"/>.</summary>
    public void EndRow(int row) => SetEnd(row, Count);

    /// <summary>
    /// Appends the lists of many rows, by their lengths; the items are written by the caller, from where
    /// <see cref="Count"/> was.
    /// </summary>
    public void AppendLists(int row, ReadOnlySpan<int> lengths)
    {
        int first = Count;
        foreach (int length in lengths)
        {
            Count += length;
            SetEnd(row++, Count);
        }

        _start = Count;
        if (Count > first)
        {
            items.EnsureRow(Count - 1);
        }
    }

    public override void EnsureRow(int row) => _ends.EnsureRow(row);

    public override void WriteDefault(int row) => SetEnd(row, Count);

    public override void WriteDefaults(int row, int count) =>
        MemoryMarshal.Cast<byte, ulong>(_ends.Values(row, count)).Fill((ulong)Count);

    public override void Rewind(int row)
    {
        items.RewindItems(_start, _itemsMark);
        values?.RewindItems(_start, _valuesMark);
        Count = _start;
        SetEnd(row, _start);
    }

    /// <summary>What <see cref="RewindTo"/> needs to know of where the lists end now.</summary>
    public (int Count, int ItemsMark, int ValuesMark) Reached => (Count, items.Mark, values?.Mark ?? 0);

    /// <summary>Forgets the lists of all rows that were written since.</summary>
    public void RewindTo((int Count, int ItemsMark, int ValuesMark) reached)
    {
        items.RewindItems(reached.Count, reached.ItemsMark);
        values?.RewindItems(reached.Count, reached.ValuesMark);
        (Count, _start) = (reached.Count, reached.Count);
    }

    public override void Truncate(int rows, int count)
    {
        int item = rows == 0 ? 0 : End(rows - 1);
        items.Truncate(item, Count);
        values?.Truncate(item, Count);
        (Count, _start) = (item, item);
    }

    public override void RemoveRows(int first, int count, int rows)
    {
        int start = first == 0 ? 0 : End(first - 1);
        int removed = End(first + count - 1) - start;
        if (removed > 0)
        {
            items.RemoveRows(start, removed, Count);
            values?.RemoveRows(start, removed, Count);
        }

        for (int row = first + count; row < rows; row++)
        {
            SetEnd(row - count, End(row) - removed);
        }

        Count -= removed;
        _start = Count;
    }

    public override void EncodePrefix(BlockBuilder block)
    {
        items.EncodePrefix(block);
        values?.EncodePrefix(block);
    }

    public override void Encode(BlockBuilder block, int rows)
    {
        _ends.Encode(block, rows);
        items.Encode(block, Count);
        values?.Encode(block, Count);
    }

    public override void Reset(int rows)
    {
        items.Reset(Count);
        values?.Reset(Count);
        (Count, _start) = (0, 0);
        _ends.Reset(rows);
    }

    public override long EncodedBytes(int rows) =>
        ((long)rows * sizeof(ulong)) + items.EncodedBytes(Count) + (values?.EncodedBytes(Count) ?? 0);

    public override long HeldBytes =>
        _ends.HeldBytes + items.HeldBytes + (values?.HeldBytes ?? 0) + (Names?.HeldBytes ?? 0);

    private int End(int row) => Unsafe.ReadUnaligned<int>(ref _ends.Slot(row));

    private void SetEnd(int row, int end) => Unsafe.WriteUnaligned(ref _ends.Slot(row), (ulong)end);
}
