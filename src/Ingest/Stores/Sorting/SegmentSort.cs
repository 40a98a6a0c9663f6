using Ingest.Log;

namespace Ingest.Stores.Sorting;

/// <summary>Reads a segment's rows in the order of its table, as one block of the Native format.</summary>
/// <remarks>
/// <para>
/// An INSERT of rows that are in order, in one block, takes half the engine's CPU: it sees that and neither sorts nor
/// gathers (docs/performance.md, "Rows in order"). The rows and their bytes are those of the segment, so that a token, or a
/// count of its rows, means what it means without this; the same segment gives the same block each time.
/// </para>
/// <para>
/// The file is gone through once to find where columns lie and where rows go, then column by column; so no more of it is
/// in memory than a block, and of what is made no more than a column. Used by one thread; keeps its memory for the next segment.
/// </para>
/// </remarks>
/// <param name="leastRows">Rows of a segment for which it is worth it.</param>
internal sealed class SegmentSort(int leastRows = SegmentSort.LeastRows)
{
    private const int LeastRows = 4096;

    // Places are 32-bit numbers, and a segment of the usual size is far below.
    private const long MostBytes = 512L << 20;

    private const int WindowBytes = 4 << 20;
    private const int MostWindowBytes = 16 << 20;
    private const long KeptBytes = 64L << 20;

    private readonly SegmentBlocks _blocks = new();
    private readonly RowOrder _order = new();
    private readonly ScratchBytes _scratch = new();
    private byte[] _window = new byte[WindowBytes];

    /// <summary>Finds the order of a segment's rows.</summary>
    /// <returns>False when it is to be sent as it is: small, of another order, or not to be read.</returns>
    /// <exception cref="StoreException">The file cannot be read.</exception>
    public bool TryOrder(SealedSegment segment, SegmentReader file)
    {
        if (segment.Rows < leastRows || segment.Length > MostBytes)
        {
            return false;
        }

        bool isOrdered = false;
        try
        {
            isOrdered = TryReadKeys(segment, file) && _blocks.Rows == segment.Rows;
        }
        catch (Exception e) when (IsUnreadable(e))
        {
            // The engine will say what is wrong with it.
        }
        finally
        {
            if (!isOrdered)
            {
                Trim();
            }
        }

        return isOrdered;
    }

    /// <summary>Writes the segment that was ordered last.</summary>
    /// <returns>False when it is not to be read after all; then what was written is of no use.</returns>
    /// <exception cref="StoreException">The file cannot be read.</exception>
    public bool TryWrite(SegmentReader file, PieceWriter target)
    {
        try
        {
            target.WriteVarint((ulong)_blocks.Columns.Count);
            target.WriteVarint((ulong)_blocks.Rows);
            for (int i = 0; i < _blocks.Columns.Count && !target.IsBroken; i++)
            {
                WriteColumn(file, i, target);
            }

            target.Flush();
            return true;
        }
        catch (Exception e) when (IsUnreadable(e))
        {
            return false;
        }
        finally
        {
            Trim();
        }
    }

    // Bytes that are not what was written: all places in them are checked. What a sort's comparison throws comes as an
    // InvalidOperationException.
    private static bool IsUnreadable(Exception e) => e is InvalidDataException or IndexOutOfRangeException
        or ArgumentException or OverflowException or InvalidOperationException;

    // One large segment is no reason to hold its memory for ever.
    private void Trim()
    {
        _scratch.ReturnAll();
        _scratch.Trim(KeptBytes);
        if (_window.Length > MostWindowBytes)
        {
            _window = new byte[WindowBytes];
        }
    }

    private bool TryReadKeys(SealedSegment segment, SegmentReader file)
    {
        _blocks.Clear();
        bool isBegun = false;
        for (long offset = 0; offset < segment.Length;)
        {
            int read = (int)Math.Min(_window.Length, segment.Length - offset);
            file.ReadAt(_window.AsSpan(0, read), offset);
            int used = 0;
            while (used < read)
            {
                int blocks = _blocks.Count;
                int length = _blocks.Add(_window.AsSpan(used, read - used), offset + used);
                if (length < 0)
                {
                    break;
                }

                if (_blocks.Count > blocks && !TryAddKeys(blocks, offset, ref isBegun, segment))
                {
                    return false;
                }

                used += length;
            }

            if (used == 0)
            {
                // A block that is longer than the window, or the file ends within one.
                if (read == segment.Length - offset)
                {
                    return false;
                }

                _window = new byte[2 * _window.Length];
            }

            offset += used;
        }

        if (!isBegun)
        {
            return false;
        }

        _order.Complete();
        return true;
    }

    private bool TryAddKeys(int block, long offset, ref bool isBegun, SealedSegment segment)
    {
        if (!isBegun && !_order.TryBegin(segment.Table, _blocks.Columns))
        {
            return false;
        }

        isBegun = true;
        return _order.TryAdd(_blocks.RowsOf(block), column =>
        {
            SegmentBlocks.ColumnPlace place = _blocks.PlaceOf(block, column);
            return _window.AsSpan((int)(place.Offset - offset), place.Length);
        });
    }

    private void WriteColumn(SegmentReader file, int index, PieceWriter target)
    {
        SegmentColumn column = _blocks.Columns[index];
        SortedValues values = column.Values;
        values.Begin(_blocks.Rows, _scratch);
        for (int pass = 0; pass < values.Passes; pass++)
        {
            int row = 0;
            for (int block = 0; block < _blocks.Count; block++)
            {
                SegmentBlocks.ColumnPlace place = _blocks.PlaceOf(block, index);
                Span<byte> bytes = _window.AsSpan(0, place.Length);
                file.ReadAt(bytes, place.Offset);
                int rows = _blocks.RowsOf(block);
                values.Take(pass, bytes, _order.Places.Slice(row, rows));
                row += rows;
            }

            values.EndPass(pass);
        }

        target.WriteText(column.Name);
        target.WriteText(column.Type);
        values.WritePrefix(target);
        values.Write(target);
        _scratch.ReturnAll();
    }
}
