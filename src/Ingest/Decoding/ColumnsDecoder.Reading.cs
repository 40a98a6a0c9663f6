using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Text;
using System.Text.Unicode;
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
                _ => ReadStructs(plan, ref data, message, scratch),
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
            scratch.IsSuspect |= !HasRows(plans, scratch);
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
            scratch.IsSuspect |= !check.AreSatisfied(values, plan.Width);
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
        scratch.IsSuspect |= plan.Checks.Length > 0;
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
            scratch.IsSuspect |= !check.AreSatisfied(numbers);
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
            scratch.IsSuspect |= !check.AreSatisfied(micros, nowSeconds);
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
        foreach (int length in lengths)
        {
            sum += (uint)length;
            scratch.IsSuspect |= length == 0 && plan.IsRequired;
        }

        RequestResult result = ReadText(plan, plan.Slot + 1, ref data, message, scratch);
        return result != RequestResult.Decoded || (ulong)data.TextCount == sum
            ? result
            : Misfit(scratch, plan.ItemsFault);
    }

    private static RequestResult ReadText(
        ColumnPlan plan, int slot, ref ColumnData data, ReadOnlySpan<byte> message, ColumnsScratch scratch)
    {
        ref ColumnRegion dictionary = ref scratch.Regions[slot];
        ReadOnlySpan<byte> indexes = scratch.Regions[slot + 1].Of(message);
        ref ColumnRegion values = ref scratch.Regions[slot + 2];
        bool isCoded = values.Count == 0;
        if (!isCoded && (dictionary.Count > 0 || !indexes.IsEmpty))
        {
            return Misfit(scratch, plan.BothFault);
        }

        data.TextCount = isCoded ? PackedVarints.Count(indexes) : values.Count;
        if (plan.Kind == ColumnKind.Text && !TrySetRows(plan, ref data, data.TextCount, scratch))
        {
            return RequestResult.Unfit;
        }

        ref ColumnRegion strings = ref isCoded ? ref dictionary : ref values;
        (data.FirstEntry, data.EntryCount, data.FirstNumber) = (strings.FirstEntry, strings.Count, -1);
        if (isCoded)
        {
            data.FirstNumber = scratch.TakeNumbers(data.TextCount);
            Span<int> numbers = scratch.Numbers(data.FirstNumber, data.TextCount);
            if (!PackedVarints.TryRead(indexes, numbers))
            {
                return RequestResult.Malformed;
            }

            if (!AreBelow(numbers, (uint)data.EntryCount))
            {
                return Misfit(scratch, plan.IndexFault);
            }
        }

        CheckText(plan, strings, ref data, message, scratch);
        return RequestResult.Decoded;
    }

    // A string of the dictionary that no row has breaks no rule; the rows will show.
    private static void CheckText(
        ColumnPlan plan, in ColumnRegion strings, ref ColumnData data, ReadOnlySpan<byte> message, ColumnsScratch scratch)
    {
        int longest = 0;
        int shortest = int.MaxValue;
        ReadOnlySpan<TextPlace> entries = scratch.Entries(data.FirstEntry, data.EntryCount);
        foreach (TextPlace entry in entries)
        {
            longest = Math.Max(longest, entry.Length);
            shortest = Math.Min(shortest, entry.Length);
        }

        data.Longest = longest;
        scratch.IsSuspect |= longest > plan.MaxBytes
            || (shortest == 0 && plan.IsRequired && plan.Kind == ColumnKind.Text);

        // Tags and short lengths are ASCII too, so that the strings are looked at all together.
        if (plan.Field.Validate && !Ascii.IsValid(strings.Of(message)))
        {
            foreach (TextPlace entry in entries)
            {
                scratch.IsSuspect |= !Utf8.IsValid(message.Slice(entry.Start, entry.Length));
            }
        }
    }

    private static RequestResult ReadStructs(
        ColumnPlan plan, ref ColumnData data, ReadOnlySpan<byte> message, ColumnsScratch scratch)
    {
        ref ColumnRegion structs = ref scratch.Regions[plan.Slot];
        if (!TrySetRows(plan, ref data, structs.Count, scratch))
        {
            return RequestResult.Unfit;
        }

        data.FirstEntry = structs.FirstEntry;
        ref byte source = ref MemoryMarshal.GetReference(message);
        bool isText = true;
        foreach (TextPlace place in scratch.Entries(structs.FirstEntry, structs.Count))
        {
            if (!WireCheck.IsMessage(
                ref source, place.Start, place.Start + place.Length, plan.Field.Layout!, depth: 2, ref isText))
            {
                return RequestResult.Malformed;
            }
        }

        scratch.IsSuspect |= !isText;
        return RequestResult.Decoded;
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

    // Mostly the longest string says it; only when it does not, all are added up.
    private static bool IsTextShort(ColumnsScratch scratch)
    {
        (long bound, long bytes) = (0, 0);
        foreach (ref ColumnData data in scratch.Data.AsSpan())
        {
            bound += (long)data.TextCount * data.Longest;
        }

        if (bound <= MaxTextBytes)
        {
            return true;
        }

        foreach (ref ColumnData data in scratch.Data.AsSpan())
        {
            ReadOnlySpan<TextPlace> entries = scratch.Entries(data.FirstEntry, data.EntryCount);
            for (int i = 0; i < data.TextCount; i++)
            {
                bytes += entries[data.FirstNumber < 0 ? i : scratch.Numbers(data.FirstNumber, data.TextCount)[i]].Length;
            }
        }

        return bytes <= MaxTextBytes;
    }

    private static bool AreBelow(ReadOnlySpan<int> numbers, uint limit)
    {
        ref int first = ref MemoryMarshal.GetReference(numbers);
        Vector256<uint> largest = Vector256<uint>.Zero;
        int at = 0;
        for (; at <= numbers.Length - Vector256<int>.Count; at += Vector256<int>.Count)
        {
            largest = Vector256.Max(largest, Vector256.LoadUnsafe(ref first, (nuint)at).AsUInt32());
        }

        bool below = at == 0 || Vector256.LessThanAll(largest, Vector256.Create(limit));
        for (; at < numbers.Length; at++)
        {
            below &= (uint)numbers[at] < limit;
        }

        return below;
    }
}
