using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Ingest.Columns;

namespace Ingest.Decoding;

// Maps, structs and JSON text: written when the whole row has been read, since a later entry replaces an earlier one.
public sealed partial class RowDecoder
{
    private bool WriteDeferred(ref byte source, Batch batch, int row)
    {
        RowScratch scratch = batch.Scratch;
        if (scratch.Pieces.Count == 0)
        {
            return true;
        }

        foreach (FieldPlan field in _deferred)
        {
            if (scratch.CountOf(field) == 0)
            {
                continue;
            }

            Column column = batch.Columns[field.Column];
            bool written = field.Op switch
            {
                FieldOp.MapEntry => WriteMap(field, ref source, batch, (ArrayColumn)column, row),
                FieldOp.Struct => WriteStruct(field, ref source, batch, (ArrayColumn)column, row),
                _ => WriteJsonText(field, ref source, batch, (StringColumn)column),
            };
            if (!written)
            {
                return false;
            }
        }

        return true;
    }

    private static bool WriteMap(FieldPlan field, ref byte source, Batch batch, ArrayColumn column, int row)
    {
        RowScratch scratch = batch.Scratch;
        column.BeginRow(row);
        batch.Seen[field.Word] |= field.Bit;
        scratch.Entries.Clear();
        foreach (RowScratch.Piece piece in scratch.Pieces)
        {
            if (piece.Plan != field)
            {
                continue;
            }

            if (!MapEntries.TryRead(
                ref source, piece.At, piece.At + piece.Length, field.KeyOp,
                PlanCompiler.WireTypeOf(field.Node.Kind), piece.Depth, out RowScratch.Entry entry))
            {
                return false;
            }

            scratch.Entries.Add(entry);
        }

        MapEntries.KeepLastOfKey(scratch, ref source, 0);
        foreach (ref RowScratch.Entry entry in CollectionsMarshal.AsSpan(scratch.Entries))
        {
            if (!entry.Live)
            {
                continue;
            }

            int item = column.AddItem(row);
            if (column.Items is LowCardinalityColumn keys)
            {
                if (!keys.TryWrite(item, MapEntries.KeyOf(ref source, entry), field.ValidateKey))
                {
                    batch.UnreadableText ??= field;
                    keys.WriteDefault(item);
                }
            }
            else
            {
                WriteKeyNumber(field.KeyOp, (FixedColumn)column.Items, item, entry.Key);
            }

            if (entry.ValueAt < 0)
            {
                WriteAbsentValue(field, column.Values!, item);
            }
            else if (ReadValue(
                field, field.ValueOp, ref source, entry.ValueAt, entry.ValueEnd, batch, column.Values!, item,
                entry.Depth) < 0)
            {
                return false;
            }
        }

        return true;
    }

    private static void WriteAbsentValue(FieldPlan field, Column values, int item)
    {
        if (field.ValueOp == FieldOp.JsonObject)
        {
            ((StringColumn)values).Append("{}"u8);
        }
        else
        {
            values.WriteDefault(item);
        }
    }

    private static void WriteKeyNumber(FieldOp op, FixedColumn keys, int item, ulong number)
    {
        ref byte slot = ref keys.Slot(item);
        switch (op)
        {
            case FieldOp.Fixed32:
                Unsafe.WriteUnaligned(ref slot, (uint)number);
                break;
            case FieldOp.Fixed64:
                Unsafe.WriteUnaligned(ref slot, number);
                break;
            default:
                WriteNumber(op, ref slot, number);
                break;
        }
    }
}
