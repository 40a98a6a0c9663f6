using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Ingest.Columns;

namespace Ingest.Decoding;

// Maps, structs and JSON text: written when the whole row has been read, since a later entry replaces an earlier one.
public sealed partial class RowDecoder
{
    // Finds an occurrence of such a field, and checks it all the way down.
    private static int Defer(FieldPlan field, ref byte source, int at, int end, Batch batch, int depth)
    {
        at = Wire.ReadLength(ref source, at, end, out int length);
        bool isText = true;
        if (at < 0 || depth >= Wire.MaxDepth
            || !WireCheck.IsMessage(ref source, at, at + length, field.Layout!, depth + 1, ref isText))
        {
            return Wire.Malformed;
        }

        if (!isText)
        {
            batch.UnreadableText ??= field;
        }

        batch.Scratch.Occurrences.Add(field.Chain, at, at + length);
        return at + length;
    }

    private void WriteDeferred(ref byte source, Batch batch, int row)
    {
        if (batch.Scratch.Occurrences.Count == 0)
        {
            return;
        }

        foreach (FieldPlan field in _deferred)
        {
            if (batch.Scratch.Occurrences.First(field.Chain) == Occurrences.None)
            {
                continue;
            }

            batch.Seen[field.Word] |= field.Bit;
            Column column = batch.Columns[field.Column];
            switch (field.Op)
            {
                case FieldOp.MapEntry:
                    WriteMap(field, ref source, batch, (ArrayColumn)column, row);
                    break;
                case FieldOp.Struct:
                    WriteStruct(field, ref source, batch, (ArrayColumn)column, row);
                    break;
                default:
                    WriteJsonText(field, ref source, batch, (StringColumn)column);
                    break;
            }
        }
    }

    private static void WriteMap(FieldPlan field, ref byte source, Batch batch, ArrayColumn column, int row)
    {
        RowScratch scratch = batch.Scratch;
        Occurrences occurrences = scratch.Occurrences;
        column.BeginRow(row);
        for (int i = occurrences.First(field.Chain); i != Occurrences.None; i = occurrences[i].Next)
        {
            scratch.Entries.Add(MapEntries.Read(
                ref source, occurrences[i].At, occurrences[i].End, field.KeyOp, field.ValueWireType));
        }

        MapEntries.KeepLastOfKey(scratch, ref source, 0);
        foreach (ref MapEntry entry in CollectionsMarshal.AsSpan(scratch.Entries))
        {
            if (entry.IsLive)
            {
                WriteMapEntry(field, ref source, entry, batch, column, row);
            }
        }

        scratch.Entries.Clear();
    }

    private static void WriteMapEntry(
        FieldPlan field, ref byte source, in MapEntry entry, Batch batch, ArrayColumn column, int row)
    {
        int item = column.AddItem(row);
        Column values = column.Values!;
        if (entry.HasTextKey)
        {
            Unsafe.As<LowCardinalityColumn>(column.Items)
                .TryWrite(item, MapEntries.KeyOf(ref source, entry), validate: false);
        }
        else
        {
            WriteKey(field.KeyOp, ref Unsafe.As<FixedColumn>(column.Items).Slot(item), entry.Key);
        }

        if (field.ValueOp == FieldOp.JsonObject)
        {
            int at = 0;
            int length = 0;
            if (entry.ValueAt >= 0)
            {
                at = Wire.ReadLength(ref source, entry.ValueAt, entry.End, out length);
            }

            WriteJsonValue(field, ref source, at, at + length, batch, (StringColumn)values);
        }
        else if (entry.ValueAt < 0)
        {
            values.WriteDefault(item);
        }
        else
        {
            ReadValue(field, field.ValueOp, ref source, entry.ValueAt, entry.End, batch, values, item, depth: 0);
        }
    }

    private static void WriteKey(FieldOp op, ref byte slot, ulong key)
    {
        switch (op)
        {
            case FieldOp.Bool:
                slot = (byte)key;
                break;
            case FieldOp.Varint32 or FieldOp.ZigZag32 or FieldOp.Fixed32:
                Unsafe.WriteUnaligned(ref slot, (uint)key);
                break;
            default:
                Unsafe.WriteUnaligned(ref slot, key);
                break;
        }
    }
}
