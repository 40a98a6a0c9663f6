using System.Runtime.CompilerServices;
using Ingest.Columns;

namespace Ingest.Decoding;

// google.protobuf.Struct to a map of text: scalars as text, nested objects flattened with dots, lists as JSON.
public sealed partial class RowDecoder
{
    private static bool WriteStruct(FieldPlan field, ref byte source, Batch batch, ArrayColumn column, int row)
    {
        RowScratch scratch = batch.Scratch;
        column.BeginRow(row);
        batch.Seen[field.Word] |= field.Bit;
        scratch.Entries.Clear();
        foreach (RowScratch.Piece piece in scratch.Pieces)
        {
            if (piece.Plan == field
                && !StructWire.TryGather(ref source, piece.At, piece.At + piece.Length, piece.Depth, scratch))
            {
                return false;
            }
        }

        return WriteStructEntries(field, ref source, batch, column, row, 0, 0);
    }

    private static bool WriteStructEntries(
        FieldPlan field, ref byte source, Batch batch, ArrayColumn column, int row, int first, int nameLength)
    {
        RowScratch scratch = batch.Scratch;
        MapEntries.KeepLastOfKey(scratch, ref source, first);
        int end = scratch.Entries.Count;
        for (int i = first; i < end; i++)
        {
            RowScratch.Entry entry = scratch.Entries[i];
            if (entry.Live && !WriteStructEntry(field, ref source, batch, column, row, entry, nameLength))
            {
                return false;
            }
        }

        scratch.Entries.RemoveRange(first, end - first);
        return true;
    }

    private static bool WriteStructEntry(
        FieldPlan field, ref byte source, Batch batch, ArrayColumn column, int row, in RowScratch.Entry entry,
        int nameLength)
    {
        RowScratch scratch = batch.Scratch;
        int nested = scratch.Entries.Count;
        if (!StructWire.TryReadValue(ref source, entry, scratch, out StructWire.Value value))
        {
            return false;
        }

        ReadOnlySpan<byte> key = MapEntries.KeyOf(ref source, entry);
        int length = nameLength + (nameLength > 0 ? 1 : 0) + key.Length;
        if (length > RowScratch.MaxNameBytes)
        {
            batch.NameTooLong ??= field;
            scratch.Entries.RemoveRange(nested, scratch.Entries.Count - nested);
            return true;
        }

        if (nameLength > 0)
        {
            scratch.Name[nameLength] = (byte)'.';
        }

        key.CopyTo(scratch.Name.AsSpan(length - key.Length));
        if (value.Kind == StructWire.Kind.Struct)
        {
            return WriteStructEntries(field, ref source, batch, column, row, nested, length);
        }

        int item = column.AddItem(row);
        var text = (StringColumn)column.Values!;
        if (!((LowCardinalityColumn)column.Items).TryWrite(item, scratch.Name.AsSpan(0, length), validate: true))
        {
            batch.UnreadableText ??= field;
            column.Items.WriteDefault(item);
        }

        return WriteStructText(field, ref source, batch, text, value, nested);
    }

    private static bool WriteStructText(
        FieldPlan field, ref byte source, Batch batch, StringColumn text, in StructWire.Value value, int nested)
    {
        switch (value.Kind)
        {
            case StructWire.Kind.Number:
                Span<byte> digits = stackalloc byte[32];
                value.Number.TryFormat(digits, out int written, default, System.Globalization.CultureInfo.InvariantCulture);
                text.Append(digits[..written]);
                return true;
            case StructWire.Kind.Bool:
                text.Append(value.Bool ? "true"u8 : "false"u8);
                return true;
            case StructWire.Kind.String:
                if (!text.TryAppend(ref Unsafe.Add(ref source, value.At), value.Length, slack: 0, validate: true))
                {
                    batch.UnreadableText ??= field;
                    text.Append([]);
                }

                return true;
            case StructWire.Kind.List:
                return WriteListJson(field, ref source, batch, text, nested);
            case StructWire.Kind.Null:
                text.Append("null"u8);
                return true;
            default:
                text.Append([]);
                return true;
        }
    }
}
