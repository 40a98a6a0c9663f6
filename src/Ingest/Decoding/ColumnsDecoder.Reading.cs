using System.Runtime.InteropServices;
using Ingest.Columns;

namespace Ingest.Decoding;

// From the fields' bytes to numbers and places, and the rules on all of a column at once.
public sealed partial class ColumnsDecoder
{
    private RequestResult Read(ReadOnlySpan<byte> message, ColumnsScratch scratch, long nowSeconds)
    {
        bool hasRows = false;
        foreach (ColumnPlan plan in _plans)
        {
            ref ColumnData data = ref scratch.Data[plan.Index];
            RequestResult result = plan.Kind switch
            {
                ColumnKind.Fixed => ReadFixed(plan, ref data, message, scratch),
                ColumnKind.Varint => ReadVarints(plan, ref data, message, scratch),
                ColumnKind.Enum => ReadEnums(plan, ref data, message, scratch),
                ColumnKind.Text => ReadText(plan, plan.Slot, ref data, message, scratch),
                ColumnKind.TextList => ReadLists(plan, ref data, message, scratch),
                ColumnKind.Timestamp => ReadTimestamps(plan, ref data, message, scratch, nowSeconds),
                _ => ReadStructs(plan, ref data, scratch),
            };
            if (result != RequestResult.Decoded)
            {
                return result;
            }

            hasRows |= data.Rows > 0;
        }

        if (scratch.RowCount > 0 && !hasRows)
        {
            return Misfit(scratch, "row_count says that there are rows, and no column has any");
        }

        foreach (ColumnPlan[] plans in _needed)
        {
            if (!HasRows(plans, scratch))
            {
                scratch.SuspectAll();
            }
        }

        return IsTextShort(scratch)
            ? RequestResult.Decoded
            : Misfit(scratch, $"the strings come to more than {MaxTextBytes} bytes");
    }

    private static RequestResult ReadFixed(
        ColumnPlan plan, ref ColumnData data, ReadOnlySpan<byte> message, ColumnsScratch scratch)
    {
        ReadOnlySpan<byte> values = scratch.Regions[plan.Slot].Of(message);
        if (!TrySetRows(plan, ref data, values.Length / plan.Width, scratch))
        {
            return RequestResult.Unfit;
        }

        foreach (RowCheck check in plan.Checks)
        {
            for (int row = check.AreSatisfied(values, plan.Width) ? data.Rows : 0; row < data.Rows; row++)
            {
                if (!check.AreSatisfied(values.Slice(row * plan.Width, plan.Width), plan.Width))
                {
                    scratch.Suspect(row);
                }
            }
        }

        return RequestResult.Decoded;
    }

    // Which rules there are on them, rows say.
    private static RequestResult ReadVarints(
        ColumnPlan plan, ref ColumnData data, ReadOnlySpan<byte> message, ColumnsScratch scratch)
    {
        ReadOnlySpan<byte> values = scratch.Regions[plan.Slot].Of(message);
        int count = PackedVarints.Count(values);
        if (!TrySetRows(plan, ref data, count, scratch))
        {
            return RequestResult.Unfit;
        }

        data.FirstLong = scratch.TakeLongs(count);
        if (plan.Checks.Length > 0)
        {
            scratch.SuspectAll();
        }

        return PackedVarints.TryRead(values, scratch.Longs(data.FirstLong, count))
            ? RequestResult.Decoded
            : RequestResult.Malformed;
    }

    private static RequestResult ReadEnums(
        ColumnPlan plan, ref ColumnData data, ReadOnlySpan<byte> message, ColumnsScratch scratch)
    {
        ReadOnlySpan<byte> values = scratch.Regions[plan.Slot].Of(message);
        int count = PackedVarints.Count(values);
        if (!TrySetRows(plan, ref data, count, scratch))
        {
            return RequestResult.Unfit;
        }

        data.FirstNumber = scratch.TakeNumbers(count);
        Span<int> numbers = scratch.Numbers(data.FirstNumber, count);
        if (!PackedVarints.TryRead(values, numbers))
        {
            return RequestResult.Malformed;
        }

        foreach (RowCheck check in plan.Checks)
        {
            for (int row = check.AreSatisfied(numbers) ? count : 0; row < count; row++)
            {
                if (!check.AreSatisfied(numbers.Slice(row, 1)))
                {
                    scratch.Suspect(row);
                }
            }
        }

        return RequestResult.Decoded;
    }

    private static RequestResult ReadTimestamps(
        ColumnPlan plan, ref ColumnData data, ReadOnlySpan<byte> message, ColumnsScratch scratch, long nowSeconds)
    {
        if (scratch.Regions[plan.Slot].Count == 0)
        {
            return RequestResult.Decoded;
        }

        ReadOnlySpan<byte> first = scratch.Regions[plan.Slot + 1].Of(message);
        ReadOnlySpan<byte> deltas = scratch.Regions[plan.Slot + 2].Of(message);
        int count = PackedVarints.Count(deltas) + 1;
        if (!TrySetRows(plan, ref data, count, scratch))
        {
            return RequestResult.Unfit;
        }

        data.FirstLong = scratch.TakeLongs(count);
        Span<long> micros = scratch.Longs(data.FirstLong, count);
        micros[0] = first.IsEmpty ? 0 : MemoryMarshal.Read<long>(first);
        if (!PackedVarints.TryReadSums(deltas, micros[0], micros[1..]))
        {
            return RequestResult.Malformed;
        }

        foreach (RowCheck check in plan.Checks)
        {
            for (int row = check.AreSatisfied(micros, nowSeconds) ? count : 0; row < count; row++)
            {
                if (!check.AreSatisfied(micros.Slice(row, 1), nowSeconds))
                {
                    scratch.Suspect(row);
                }
            }
        }

        return RequestResult.Decoded;
    }

    private static RequestResult ReadLists(
        ColumnPlan plan, ref ColumnData data, ReadOnlySpan<byte> message, ColumnsScratch scratch)
    {
        ReadOnlySpan<byte> values = scratch.Regions[plan.Slot].Of(message);
        int count = PackedVarints.Count(values);
        if (!TrySetRows(plan, ref data, count, scratch))
        {
            return RequestResult.Unfit;
        }

        int firstLength = data.FirstLength = scratch.TakeNumbers(count);
        Span<int> lengths = scratch.Numbers(firstLength, count);
        if (!PackedVarints.TryRead(values, lengths))
        {
            return RequestResult.Malformed;
        }

        ulong sum = 0;
        for (int row = 0; row < count; row++)
        {
            sum += (uint)lengths[row];
            if (lengths[row] == 0 && plan.IsRequired)
            {
                scratch.Suspect(row);
            }
        }

        RequestResult result = ReadText(plan, plan.Slot + 1, ref data, message, scratch);
        return result != RequestResult.Decoded || (ulong)data.TextCount == sum
            ? result
            : Misfit(scratch, plan.ItemsFault);
    }

    private static bool TrySetRows(ColumnPlan plan, ref ColumnData data, int count, ColumnsScratch scratch)
    {
        data.Rows = count;
        if (count == 0 || count == scratch.RowCount)
        {
            return true;
        }

        scratch.Fault = plan.LengthFault;
        return false;
    }

    private static RequestResult Misfit(ColumnsScratch scratch, string fault)
    {
        scratch.Fault = fault;
        return RequestResult.Unfit;
    }

    private static bool HasRows(ColumnPlan[] plans, ColumnsScratch scratch)
    {
        foreach (ColumnPlan plan in plans)
        {
            if (scratch.Data[plan.Index].Rows > 0)
            {
                return true;
            }
        }

        return false;
    }
}
