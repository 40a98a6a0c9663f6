using System.Text;
using Ingest.Columns;

namespace Ingest.Stores.Sorting;

/// <summary>Where the columns of a segment's blocks lie in its file.</summary>
internal sealed class SegmentBlocks
{
    private readonly List<int> _rows = [];
    private readonly List<ColumnPlace> _places = []; // Of each column of each block.
    private SegmentColumn[] _columns = [];

    /// <summary>The columns, the same in every block.</summary>
    public IReadOnlyList<SegmentColumn> Columns => _columns;

    /// <summary>Blocks with rows.</summary>
    public int Count => _rows.Count;

    /// <summary>Rows of all.</summary>
    public int Rows { get; private set; }

    /// <summary>Rows of a block.</summary>
    public int RowsOf(int block) => _rows[block];

    /// <summary>Where the values of a block's column lie, what stands before them left out.</summary>
    public ColumnPlace PlaceOf(int block, int column) => _places[(block * _columns.Length) + column];

    /// <summary>Begins anew.</summary>
    public void Clear()
    {
        _rows.Clear();
        _places.Clear();
        Rows = 0;
    }

    /// <summary>Finds the columns of the block at the beginning of the bytes.</summary>
    /// <param name="bytes">The file's bytes from a block on.</param>
    /// <param name="offset">Where in the file they lie.</param>
    /// <returns>Length of the block; <see cref="SortedValues.Incomplete"/> when the bytes end before it does.</returns>
    /// <exception cref="InvalidDataException">It is no block, or has other columns than the one before.</exception>
    public int Add(ReadOnlySpan<byte> bytes, long offset)
    {
        int at = 0;
        if (!TryVarint(bytes, ref at, out int count) || !TryVarint(bytes, ref at, out int rows))
        {
            return SortedValues.Incomplete;
        }

        if (_rows.Count == 0 && _columns.Length != count)
        {
            _columns = new SegmentColumn[count];
        }

        if (_columns.Length != count)
        {
            throw new InvalidDataException($"a block of {count} columns behind one of {_columns.Length}");
        }

        int first = _places.Count;
        for (int i = 0; i < count; i++)
        {
            int length = AddColumn(bytes, at, offset, i, rows);
            if (length < 0)
            {
                _places.RemoveRange(first, _places.Count - first);
                return SortedValues.Incomplete;
            }

            at += length;
        }

        if (rows > 0)
        {
            _rows.Add(rows);
            Rows = checked(Rows + rows);
        }
        else
        {
            _places.RemoveRange(first, _places.Count - first);
        }

        return at;
    }

    private int AddColumn(ReadOnlySpan<byte> bytes, int begin, long offset, int index, int rows)
    {
        int at = begin;
        if (!TryText(bytes, ref at, out ReadOnlySpan<byte> name) || !TryText(bytes, ref at, out ReadOnlySpan<byte> type))
        {
            return SortedValues.Incomplete;
        }

        SegmentColumn column = ColumnOf(index, name, type);
        int length = 0;
        if (rows > 0)
        {
            int prefix = column.Values.PrefixBytes;
            if (bytes.Length - at < prefix)
            {
                return SortedValues.Incomplete;
            }

            column.Values.CheckPrefix(bytes.Slice(at, prefix));
            at += prefix;
            length = column.Values.Measure(bytes[at..], rows);
            if (length < 0)
            {
                return SortedValues.Incomplete;
            }
        }

        _places.Add(new ColumnPlace(offset + at, length));
        return at + length - begin;
    }

    private SegmentColumn ColumnOf(int index, ReadOnlySpan<byte> name, ReadOnlySpan<byte> type)
    {
        if (_columns[index] is { } known && known.Is(name, type))
        {
            return known;
        }

        string nameText = Encoding.UTF8.GetString(name), typeText = Encoding.UTF8.GetString(type);
        return _rows.Count == 0
            ? _columns[index] = new SegmentColumn(nameText, typeText)
            : throw new InvalidDataException($"column {nameText} {typeText} is not that of the block before");
    }

    private static bool TryText(ReadOnlySpan<byte> bytes, ref int at, out ReadOnlySpan<byte> text)
    {
        text = default;
        if (!TryVarint(bytes, ref at, out int length) || length > bytes.Length - at)
        {
            return false;
        }

        text = bytes.Slice(at, length);
        at += length;
        return true;
    }

    private static bool TryVarint(ReadOnlySpan<byte> bytes, ref int at, out int value)
    {
        ulong number = 0;
        value = 0;
        for (int shift = 0; shift < 7 * NativeFormat.MaxVarintBytes; shift += 7)
        {
            if (at >= bytes.Length)
            {
                return false;
            }

            byte current = bytes[at++];
            number |= (ulong)(current & 0x7f) << shift;
            if (current < 0x80)
            {
                value = number <= int.MaxValue ? (int)number : throw new InvalidDataException($"{number} is too many");
                return true;
            }
        }

        throw new InvalidDataException("a number that does not end");
    }

    /// <summary>Bytes of a file.</summary>
    internal readonly record struct ColumnPlace(long Offset, int Length);
}
