using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Ingest.Columns;

namespace Ingest.Decoding;

// google.protobuf.Struct to a map of text: scalars as text, nested objects flattened with dots, lists as JSON.
public sealed partial class RowDecoder
{
    // Names are written out with those of their parents, so a few bytes under a long name can become many; what real
    // rows have is below twice their length.
    internal const int MostNameBytesPerByte = 8;

    /// <summary>Writes the struct of a row that comes as columns; the bytes were checked.</summary>
    /// <returns>False when a name is too long.</returns>
    internal bool TryWriteStruct(FieldPlan field, ref byte source, int at, int end, Batch batch, int row)
    {
        batch.Scratch.BeginRow(_deferred.Length);
        batch.Scratch.Occurrences.Add(field.Chain, at, end);
        WriteStruct(field, ref source, batch, Unsafe.As<ArrayColumn>(batch.Columns[field.Column]), row);
        bool fits = batch.NameTooLong is null;
        batch.NameTooLong = null;
        return fits;
    }

    private static void WriteStruct(FieldPlan field, ref byte source, Batch batch, ArrayColumn column, int row)
    {
        RowScratch scratch = batch.Scratch;
        column.BeginRow(row);
        scratch.NameBudget = 0;
        int first = scratch.Occurrences.First(field.Chain);
        for (int i = first; i != Occurrences.None; i = scratch.Occurrences[i].Next)
        {
            scratch.NameBudget += (long)(scratch.Occurrences[i].End - scratch.Occurrences[i].At) * MostNameBytesPerByte;
        }

        WriteStructEntries(field, ref source, batch, column, row, first, 0);
    }

    private static void WriteStructEntries(
        FieldPlan field, ref byte source, Batch batch, ArrayColumn column, int row, int first, int nameLength)
    {
        RowScratch scratch = batch.Scratch;
        int begin = scratch.Entries.Count;
        for (int i = first; i != Occurrences.None; i = scratch.Occurrences[i].Next)
        {
            StructWire.Gather(ref source, scratch.Occurrences[i].At, scratch.Occurrences[i].End, scratch.Entries);
        }

        MapEntries.KeepLastOfKey(scratch, ref source, begin);
        int end = scratch.Entries.Count;
        for (int i = begin; i < end; i++)
        {
            MapEntry entry = scratch.Entries[i];
            if (entry.IsLive)
            {
                WriteStructEntry(field, ref source, batch, column, row, entry, nameLength);
            }
        }

        scratch.Entries.RemoveRange(begin, end - begin);
    }

    private static void WriteStructEntry(
        FieldPlan field, ref byte source, Batch batch, ArrayColumn column, int row, in MapEntry entry, int nameLength)
    {
        RowScratch scratch = batch.Scratch;
        ReadOnlySpan<byte> key = MapEntries.KeyOf(ref source, entry);
        int length = nameLength + (nameLength > 0 ? 1 : 0) + key.Length;
        if (length > RowScratch.MaxNameBytes || scratch.NameBudget < 0)
        {
            batch.NameTooLong ??= field;
            return;
        }

        if (nameLength > 0)
        {
            scratch.Name[nameLength] = (byte)'.';
        }

        key.CopyTo(scratch.Name.AsSpan(length - key.Length));
        Occurrences occurrences = scratch.Occurrences;
        int count = occurrences.Count;
        int chain = occurrences.BeginFrame(1);
        StructWire.Value value = default;
        if (entry.ValueAt >= 0)
        {
            int at = Wire.ReadLength(ref source, entry.ValueAt, entry.End, out int bytes);
            value = StructWire.Read(ref source, at, at + bytes, occurrences, chain);
        }

        if (value.Kind == StructWire.Kind.Struct)
        {
            WriteStructEntries(field, ref source, batch, column, row, occurrences.First(chain), length);
        }
        else
        {
            scratch.NameBudget -= length;
            int item = column.AddItem(row);
            Unsafe.As<LowCardinalityColumn>(column.Items)
                .TryWrite(item, scratch.Name.AsSpan(0, length), validate: false);
            WriteStructValue(
                field, ref source, batch, Unsafe.As<StringColumn>(column.Values!), value, occurrences.First(chain));
        }

        occurrences.EndFrame(chain, count);
    }

    private static void AppendNumber(StringColumn text, double number) =>
        text.TakeShort(NumberText.Write(number, ref text.ShortRoom()));

    private static void WriteStructValue(
        FieldPlan field, ref byte source, Batch batch, StringColumn text, in StructWire.Value value, int first)
    {
        switch (value.Kind)
        {
            case StructWire.Kind.Number:
                AppendNumber(text, value.Number);
                break;
            case StructWire.Kind.Bool:
                text.Append(value.Bool ? "true"u8 : "false"u8);
                break;
            case StructWire.Kind.String:
                text.Append(MemoryMarshal.CreateReadOnlySpan(ref Unsafe.Add(ref source, value.At), value.Length));
                break;
            case StructWire.Kind.List:
                var json = new JsonTranscoder(ref source, batch.Scratch);
                json.WriteMerged(first, field.ListLayout!);
                Append(field, batch, text, ref json);
                break;
            case StructWire.Kind.Null:
                text.Append("null"u8);
                break;
            default:
                text.Append([]);
                break;
        }
    }
}
