using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Text;
using System.Text.Unicode;
using Ingest.Columns;

namespace Ingest.Decoding;

// Columns of strings, one by one or with a dictionary.
public sealed partial class ColumnsDecoder
{
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

    private static void CheckText(
        ColumnPlan plan, in ColumnRegion strings, ref ColumnData data, ReadOnlySpan<byte> message, ColumnsScratch scratch)
    {
        data.Longest = strings.Longest;

        // Tags and short lengths are ASCII too, so that the strings are looked at all together.
        if (strings.Longest > plan.MaxBytes
            || (strings.HasEmpty && plan.IsRequired && plan.Kind == ColumnKind.Text)
            || (plan.Field.Validate && !Ascii.IsValid(strings.Of(message))))
        {
            SuspectText(plan, data, message, scratch);
        }
    }

    // A string of the dictionary that no row has breaks no rule.
    private static void SuspectText(
        ColumnPlan plan, in ColumnData data, ReadOnlySpan<byte> message, ColumnsScratch scratch)
    {
        ReadOnlySpan<TextPlace> entries = scratch.Entries(data.FirstEntry, data.EntryCount);
        Span<bool> bad = data.EntryCount <= 1024 ? stackalloc bool[data.EntryCount] : new bool[data.EntryCount];
        bool isAnyBad = false;
        for (int i = 0; i < entries.Length; i++)
        {
            TextPlace entry = entries[i];
            bad[i] = entry.Length > plan.MaxBytes
                || (entry.Length == 0 && plan.IsRequired && plan.Kind == ColumnKind.Text)
                || (plan.Field.Validate && !Utf8.IsValid(message.Slice(entry.Start, entry.Length)));
            isAnyBad |= bad[i];
        }

        if (!isAnyBad)
        {
            return;
        }

        if (plan.Kind == ColumnKind.TextList)
        {
            scratch.SuspectAll();
            return;
        }

        for (int row = 0; row < data.TextCount; row++)
        {
            int entry = data.FirstNumber < 0 ? row : scratch.Numbers(data.FirstNumber, data.TextCount)[row];
            if (bad[entry])
            {
                scratch.Suspect(row);
            }
        }
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
