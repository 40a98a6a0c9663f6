using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Google.Protobuf.Reflection;
using Ingest.Columns;
using StringColumn = Ingest.Columns.StringColumn;

namespace Ingest.Decoding;

/// <summary>
/// Reads messages that carry many rows as columns, <c>GpsPointColumns</c>, straight into the columns of a batch.
/// Compiled once from the message's descriptor.
/// </summary>
/// <remarks>
/// Hot: runs on the thread that reads a stream and allocates 0 bytes a row in steady state; watched by
/// ColumnsBenchmarks. Without state of its own: a message is taken apart in the scratch of the batch. All rules are
/// checked on whole columns; only a row with a value that breaks one, or may, is written out as a message and goes through
/// <see cref="RowDecoder"/>, so that faults are the same in both forms.
/// </remarks>
public sealed partial class ColumnsDecoder
{
    /// <summary>
    /// Most bytes of a message's strings written out for each row, so that a few bytes cannot become many.
    /// </summary>
    public const long MaxTextBytes = 64 * 1024 * 1024;

    private readonly RowDecoder _rows;
    private readonly TagTable<ColumnsStep> _root;
    private readonly ColumnPlan[] _plans;
    private readonly ColumnPlan?[] _planOfColumn;
    private readonly ColumnPlan[][] _needed;
    private readonly int[] _absent;
    private readonly int _slots;

    /// <summary>Compiles the plan for a table.</summary>
    /// <param name="rows">Reads the table's rows.</param>
    /// <param name="form">The message that carries them as columns.</param>
    /// <exception cref="InvalidOperationException">A field fits no column of the table.</exception>
    public ColumnsDecoder(RowDecoder rows, MessageDescriptor form)
    {
        _rows = rows;
        var compiler = new ColumnsCompiler(rows, form);
        (_root, _plans, _slots) = (compiler.Root, compiler.Plans, compiler.Slots);
        _planOfColumn = new ColumnPlan?[rows.Leaves.Length];
        foreach (ColumnPlan plan in _plans)
        {
            _planOfColumn[plan.Field.Column] = plan;
        }

        _needed = [.. rows.Absences.Select(a => PlansUnder(a.Plan))];
        _absent = [.. Enumerable.Range(0, _planOfColumn.Length).Where(c => _planOfColumn[c] is null)];
    }

    /// <summary>Appends the rows of a message to a batch.</summary>
    /// <param name="request">The request that the message lies in.</param>
    /// <param name="pieces">The message; of several occurrences all, which are one message.</param>
    /// <param name="batch">A batch of the table.</param>
    /// <param name="skip">Rows at the start that are left out.</param>
    /// <param name="firstIndex">Place of its first row among the rows of the request.</param>
    /// <param name="maxRows">Rows that the request may have.</param>
    /// <param name="nowSeconds">The server's clock in Unix seconds, against which timestamps are checked.</param>
    /// <param name="rejected">Takes the rows that break a rule.</param>
    /// <param name="count">Rows of the message, those left out included.</param>
    /// <returns>
    /// What became of it; when it was not decoded, the caller cuts the batch to the rows that it had, and
    /// <see cref="ColumnsScratch.Fault"/> says why the columns make no rows.
    /// </returns>
    internal RequestResult TryAppend(
        ReadOnlySpan<byte> request, List<(int Start, int Length)> pieces, Batch batch, long skip, int firstIndex,
        int maxRows, long nowSeconds, List<RejectedRow> rejected, out int count)
    {
        count = 0;
        ColumnsScratch scratch = batch.ColumnsScratch;
        scratch.Begin(_slots, _plans.Length);
        if (!Walk(request, pieces, scratch))
        {
            return RequestResult.Malformed;
        }

        ReadOnlySpan<byte> message = request;
        if (scratch.IsScattered)
        {
            scratch.BeginGathering();
            Walk(request, pieces, scratch);
            message = scratch.Gathered;
        }

        if (scratch.RowCount > maxRows - firstIndex)
        {
            return RequestResult.TooManyRows;
        }

        RequestResult result = Read(message, scratch, nowSeconds);

        // Of rows that are not written, structs are checked by themselves: a message is malformed whatever is made of it.
        if ((result == RequestResult.Unfit || skip > 0) && CheckStructs(message, scratch) == RequestResult.Malformed)
        {
            return RequestResult.Malformed;
        }

        if (result != RequestResult.Decoded)
        {
            return result;
        }

        count = (int)scratch.RowCount;
        int first = (int)Math.Min(skip, count);
        if (first == count)
        {
            return RequestResult.Decoded;
        }

        return Append(message, scratch, batch, first, firstIndex, nowSeconds, rejected);
    }

    // Runs of good rows as columns, and what may break a rule between them as rows.
    private RequestResult Append(
        ReadOnlySpan<byte> message, ColumnsScratch scratch, Batch batch, int first, int firstIndex, long nowSeconds,
        List<RejectedRow> rejected)
    {
        SetNextItems(first, scratch);
        RequestResult result = RequestResult.Decoded;
        for (int row = first; row < scratch.RowCount && result == RequestResult.Decoded;)
        {
            int suspect = scratch.NextSuspect(row);
            if (suspect == row)
            {
                result = AppendRow(message, scratch, batch, row, firstIndex, nowSeconds, rejected);
                row++;
            }
            else if (TryWrite(message, scratch, batch, row, suspect - row))
            {
                batch.CommitRows(suspect - row);
                row = suspect;
            }
            else if (scratch.AreStructsChecked)
            {
                scratch.SuspectAll();
            }
            else
            {
                result = CheckStructs(message, scratch);
            }
        }

        scratch.Rows.Release();
        return result;
    }

    // Many rows, columns by columns; false, and nothing written, when a row breaks a rule that only writing shows.
    private bool TryWrite(ReadOnlySpan<byte> message, ColumnsScratch scratch, Batch batch, int first, int count)
    {
        int row = batch.BeginRows(count);
        if (!TryWriteStructs(message, scratch, batch, row, first, count))
        {
            return false;
        }

        foreach (int column in _absent)
        {
            batch.Columns[column].WriteDefaults(row, count);
        }

        foreach (ColumnPlan plan in _plans)
        {
            Column column = batch.Columns[plan.Field.Column];
            ref ColumnData data = ref scratch.Data[plan.Index];
            if (data.Rows == 0)
            {
                column.WriteDefaults(row, count);
            }
            else if (plan.Kind != ColumnKind.Struct)
            {
                Write(plan, ref data, message, scratch, column, row, first, count);
            }
        }

        return true;
    }

    private static void Write(
        ColumnPlan plan, ref ColumnData data, ReadOnlySpan<byte> message, ColumnsScratch scratch, Column column, int row,
        int first, int count)
    {
        switch (plan.Kind)
        {
            case ColumnKind.Fixed:
                scratch.Regions[plan.Slot].Of(message).Slice(first * plan.Width, count * plan.Width)
                    .CopyTo(Unsafe.As<FixedColumn>(column).Values(row, count));
                break;
            case ColumnKind.Timestamp:
                MemoryMarshal.AsBytes(scratch.Longs(data.FirstLong + first, count))
                    .CopyTo(Unsafe.As<FixedColumn>(column).Values(row, count));
                break;
            case ColumnKind.Varint:
                foreach (long number in scratch.Longs(data.FirstLong + first, count))
                {
                    RowDecoder.WriteNumber(
                        plan.Field.Op, ref Unsafe.As<FixedColumn>(column).Slot(row++), (ulong)number);
                }

                break;
            case ColumnKind.Enum:
                Unsafe.As<LowCardinalityColumn>(column)
                    .WriteEnums(row, scratch.Numbers(data.FirstNumber + first, count));
                break;
            case ColumnKind.Text:
                WriteText(ref data, message, scratch, column, row, first, count);
                break;
            case ColumnKind.TextList:
                WriteLists(ref data, message, scratch, Unsafe.As<ArrayColumn>(column), row, first, count);
                break;
            default:
                throw new UnreachableException();
        }
    }

    private static void WriteText(
        ref ColumnData data, ReadOnlySpan<byte> message, ColumnsScratch scratch, Column column, int row, int first,
        int count)
    {
        if (data.FirstNumber < 0)
        {
            ReadOnlySpan<TextPlace> values = scratch.Entries(data.FirstEntry + first, count);
            if (column is StringColumn each)
            {
                each.AppendEach(message, values);
            }
            else
            {
                Unsafe.As<LowCardinalityColumn>(column).WriteEach(row, message, values);
            }

            return;
        }

        ReadOnlySpan<TextPlace> entries = scratch.Entries(data.FirstEntry, data.EntryCount);
        ReadOnlySpan<int> indexes = scratch.Numbers(data.FirstNumber + first, count);
        if (column is StringColumn text)
        {
            text.AppendCoded(message, entries, indexes);
        }
        else
        {
            if (!data.HasKeys)
            {
                // They lie behind everything else; the indexes are taken again, since the array may have grown.
                (data.FirstKey, data.HasKeys) = (scratch.TakeNumbers(data.EntryCount), true);
                scratch.Numbers(data.FirstKey, data.EntryCount).Fill(-1);
                indexes = scratch.Numbers(data.FirstNumber + first, count);
            }

            Unsafe.As<LowCardinalityColumn>(column).WriteCoded(
                row, message, entries, indexes, scratch.Numbers(data.FirstKey, data.EntryCount));
        }
    }

    private static void WriteLists(
        ref ColumnData data, ReadOnlySpan<byte> message, ColumnsScratch scratch, ArrayColumn column, int row, int first,
        int count)
    {
        int item = column.Count;
        column.AppendLists(row, scratch.Numbers(data.FirstLength + first, count));
        if (column.Count > item)
        {
            WriteText(ref data, message, scratch, column.Items, item, data.NextItem, column.Count - item);
            data.NextItem += column.Count - item;
        }
    }

    private ColumnPlan[] PlansUnder(FieldPlan field) =>
        [.. _plans.Where(p => p.Field == field || p.Field.Node.Path.StartsWith($"{field.Node.Path}.", StringComparison.Ordinal))];

    private void SetNextItems(int row, ColumnsScratch scratch)
    {
        foreach (ColumnPlan plan in _plans)
        {
            ref ColumnData data = ref scratch.Data[plan.Index];
            if (plan.Kind == ColumnKind.TextList && data.Rows > 0)
            {
                data.NextItem = Sum(scratch.Numbers(data.FirstLength, row));
            }
        }
    }

    // What the lengths of lists add up to was held to the number of items, which is one of a message's bytes at most.
    private static int Sum(ReadOnlySpan<int> lengths)
    {
        int sum = 0;
        foreach (int length in lengths)
        {
            sum += length;
        }

        return sum;
    }
}
