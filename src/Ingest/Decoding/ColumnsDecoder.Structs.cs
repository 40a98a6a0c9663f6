using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Ingest.Columns;

namespace Ingest.Decoding;

// Structs: read and checked in one pass when they are written. Only when one of a message is declined there, all of its
// structs are checked, and what was written is written again.
public sealed partial class ColumnsDecoder
{
    private static RequestResult ReadStructs(ColumnPlan plan, ref ColumnData data, ColumnsScratch scratch)
    {
        ref ColumnRegion structs = ref scratch.Regions[plan.Slot];
        if (!TrySetRows(plan, ref data, structs.Count, scratch))
        {
            return RequestResult.Unfit;
        }

        (data.FirstEntry, data.EntryCount) = (structs.FirstEntry, structs.Count);
        return RequestResult.Decoded;
    }

    // All the way down: a struct that is malformed makes the message so, one with text that is none a row to look at.
    private RequestResult CheckStructs(ReadOnlySpan<byte> message, ColumnsScratch scratch)
    {
        scratch.AreStructsChecked = true;
        ref byte source = ref MemoryMarshal.GetReference(message);
        foreach (ColumnPlan plan in _plans)
        {
            if (plan.Kind != ColumnKind.Struct)
            {
                continue;
            }

            ref ColumnData data = ref scratch.Data[plan.Index];
            ReadOnlySpan<TextPlace> places = scratch.Entries(data.FirstEntry, data.EntryCount);
            for (int row = 0; row < places.Length; row++)
            {
                TextPlace place = places[row];
                bool isText = true;
                if (!WireCheck.IsMessage(
                    ref source, place.Start, place.Start + place.Length, plan.Field.Layout!, depth: 2, ref isText))
                {
                    return RequestResult.Malformed;
                }

                if (!isText)
                {
                    scratch.Suspect(row);
                }
            }
        }

        return RequestResult.Decoded;
    }

    // Before all other columns: nothing else is declined when it is written, and these are taken back at no cost that
    // grows with the batch.
    private bool TryWriteStructs(
        ReadOnlySpan<byte> message, ColumnsScratch scratch, Batch batch, int row, int first, int count)
    {
        for (int i = 0; i < _plans.Length; i++)
        {
            ColumnPlan plan = _plans[i];
            ref ColumnData data = ref scratch.Data[plan.Index];
            if (plan.Kind == ColumnKind.Struct && data.Rows > 0)
            {
                data.Before = Unsafe.As<ArrayColumn>(batch.Columns[plan.Field.Column]).Reached;
                if (!TryWriteStructs(plan, message, scratch, batch, row, first, count))
                {
                    RewindStructs(i, scratch, batch);
                    return false;
                }
            }
        }

        return true;
    }

    private void RewindStructs(int last, ColumnsScratch scratch, Batch batch)
    {
        for (int i = 0; i <= last; i++)
        {
            ColumnPlan plan = _plans[i];
            ref ColumnData data = ref scratch.Data[plan.Index];
            if (plan.Kind == ColumnKind.Struct && data.Rows > 0)
            {
                Unsafe.As<ArrayColumn>(batch.Columns[plan.Field.Column]).RewindTo(data.Before);
            }
        }
    }

    // False, and the caller takes back what was written, when one is declined and they have not been checked, or when it
    // has a name that is too long.
    private bool TryWriteStructs(
        ColumnPlan plan, ReadOnlySpan<byte> message, ColumnsScratch scratch, Batch batch, int row, int first, int count)
    {
        ref byte source = ref MemoryMarshal.GetReference(message);
        ArrayColumn column = Unsafe.As<ArrayColumn>(batch.Columns[plan.Field.Column]);
        foreach (TextPlace place in scratch.Entries(scratch.Data[plan.Index].FirstEntry + first, count))
        {
            int end = place.Start + place.Length;
            column.BeginRow(row);
            if (!StructReader.TryRead(ref source, place.Start, end, message.Length, column, row))
            {
                column.Rewind(row);
                if (!scratch.AreStructsChecked
                    || !_rows.TryWriteStruct(plan.Field, ref source, place.Start, end, batch, row))
                {
                    return false;
                }
            }

            row++;
        }

        return true;
    }
}
