using Ingest.Columns;

namespace Ingest.Decoding;

// Messages that cannot be columns, as JSON text.
public sealed partial class RowDecoder
{
    private static bool WriteJsonText(FieldPlan field, ref byte source, Batch batch, StringColumn column)
    {
        RowScratch scratch = batch.Scratch;
        scratch.BeginJson();
        var json = new JsonTranscoder(scratch);
        bool written = field.Op == FieldOp.JsonItem
            ? json.TryWriteList(ref source, field)
            : json.TryWriteMerged(ref source, field);
        if (!written)
        {
            return false;
        }

        AppendJson(field, batch, column, json.FoundUnreadableText);
        batch.Seen[field.Word] |= field.Bit;
        return true;
    }

    private static bool WriteJson(
        FieldPlan field, ref byte source, int at, int length, Batch batch, StringColumn column, int depth)
    {
        batch.Scratch.BeginJson();
        var json = new JsonTranscoder(batch.Scratch);
        if (!json.TryWrite(ref source, at, at + length, field.Message!, depth))
        {
            return false;
        }

        AppendJson(field, batch, column, json.FoundUnreadableText);
        return true;
    }

    private static bool WriteListJson(
        FieldPlan field, ref byte source, Batch batch, StringColumn column, int firstItem)
    {
        batch.Scratch.BeginJson();
        var json = new JsonTranscoder(batch.Scratch);
        if (!json.TryWriteItems(ref source, firstItem))
        {
            return false;
        }

        AppendJson(field, batch, column, json.FoundUnreadableText);
        return true;
    }

    private static void AppendJson(FieldPlan field, Batch batch, StringColumn column, bool foundUnreadableText)
    {
        if (foundUnreadableText)
        {
            batch.UnreadableText ??= field;
        }

        batch.Scratch.Json.Flush();
        column.Append(batch.Scratch.JsonText.WrittenSpan);
    }
}
