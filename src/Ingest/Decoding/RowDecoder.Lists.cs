using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Ingest.Columns;

namespace Ingest.Decoding;

// Fields with more than one value a row.
public sealed partial class RowDecoder
{
    private static int ReadMany(
        FieldPlan field, ref byte source, int at, int end, Batch batch, Column column, int row, int depth)
    {
        if (field.IsDeferred)
        {
            return Defer(field, ref source, at, end, batch, depth);
        }

        if (field.Op == FieldOp.Skip)
        {
            return SkipChecked(field, ref source, at, end, batch, depth);
        }

        int packed = 0;
        if (field.Op == FieldOp.PackedItems)
        {
            at = Wire.ReadLength(ref source, at, end, out packed);
            if (at < 0 || packed == 0)
            {
                return at;
            }
        }

        var list = Unsafe.As<ArrayColumn>(column);
        ref ulong seen = ref batch.Seen[field.Word];
        if ((seen & field.Bit) == 0)
        {
            list.BeginRow(row);
            seen |= field.Bit;
        }

        if (field.Op == FieldOp.Item)
        {
            return ReadValue(
                field, field.ValueOp, ref source, at, end, batch, list.Items, list.AddItem(row), depth);
        }

        int last = at + packed;
        while (at >= 0 && at < last)
        {
            at = ReadValue(field, field.ValueOp, ref source, at, last, batch, list.Items, list.AddItem(row), depth);
        }

        return at;
    }

    /// <summary>Reads one value from the wire to a place in a column of items.</summary>
    private static int ReadValue(
        FieldPlan field, FieldOp op, ref byte source, int at, int end, Batch batch, Column items, int item, int depth)
    {
        switch (op)
        {
            case FieldOp.Fixed32:
                if (end - at < sizeof(uint))
                {
                    return Wire.Malformed;
                }

                Unsafe.WriteUnaligned(
                    ref Unsafe.As<FixedColumn>(items).Slot(item),
                    Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref source, at)));
                return at + sizeof(uint);

            case FieldOp.Fixed64:
                if (end - at < sizeof(ulong))
                {
                    return Wire.Malformed;
                }

                Unsafe.WriteUnaligned(
                    ref Unsafe.As<FixedColumn>(items).Slot(item),
                    Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref source, at)));
                return at + sizeof(ulong);

            case FieldOp.String:
            case FieldOp.LowCardinality:
                at = Wire.ReadLength(ref source, at, end, out int length);
                if (at >= 0 && !TryWriteText(items, item, ref Unsafe.Add(ref source, at), length, field.Validate))
                {
                    batch.UnreadableText ??= field;
                    items.WriteDefault(item);
                }

                return at < 0 ? Wire.Malformed : at + length;

            case FieldOp.Timestamp:
            case FieldOp.Duration:
                return ReadMomentItem(field, op, ref source, at, end, batch, items, item, depth);

            case FieldOp.Enum:
                at = Wire.ReadVarint(ref source, at, end, out ulong enumNumber);
                Unsafe.As<LowCardinalityColumn>(items).WriteEnum(item, (int)enumNumber);
                return at;

            default:
                at = Wire.ReadVarint(ref source, at, end, out ulong number);
                WriteNumber(op, ref Unsafe.As<FixedColumn>(items).Slot(item), number);
                return at;
        }
    }

    // What is left out of the table is still part of the message.
    private static int SkipChecked(FieldPlan field, ref byte source, int at, int end, Batch batch, int depth)
    {
        if (field.ValueWireType != Wire.Len)
        {
            return Wire.Skip(ref source, at, end, field.ValueWireType, depth);
        }

        bool isText = true;
        at = Wire.ReadLength(ref source, at, end, out int length);
        if (at < 0 || !WireCheck.IsValue(ref source, at, at + length, field.Skipped!, depth, ref isText))
        {
            return Wire.Malformed;
        }

        if (!isText)
        {
            batch.UnreadableText ??= field;
        }

        return at + length;
    }

    private static bool TryWriteText(Column items, int item, ref byte source, int length, bool validate) =>
        items is StringColumn text
            ? text.TryAppend(ref source, length, slack: 0, validate)
            : Unsafe.As<LowCardinalityColumn>(items).TryWrite(
                item, MemoryMarshal.CreateReadOnlySpan(ref source, length), validate);

    private static int ReadMomentItem(
        FieldPlan field, FieldOp op, ref byte source, int at, int end, Batch batch, Column items, int item, int depth)
    {
        long seconds = 0;
        int nanos = 0;
        at = ReadSecondsAndNanos(ref source, at, end, depth, ref seconds, ref nanos);
        bool valid = op == FieldOp.Timestamp
            ? RowCheck.IsTimestamp(seconds, nanos)
            : RowCheck.IsDuration(seconds, nanos);
        if (!valid)
        {
            batch.ItemOutOfRange ??= field;
        }

        Unsafe.WriteUnaligned(ref Unsafe.As<FixedColumn>(items).Slot(item), Micros(seconds, nanos));
        return at;
    }
}
