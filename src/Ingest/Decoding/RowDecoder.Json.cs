using Ingest.Columns;

namespace Ingest.Decoding;

// Messages that cannot be columns, as JSON text.
public sealed partial class RowDecoder
{
    private static void WriteJsonText(FieldPlan field, ref byte source, Batch batch, StringColumn column)
    {
        int first = batch.Scratch.Occurrences.First(field.Chain);
        var json = new JsonTranscoder(ref source, batch.Scratch);
        if (field.Op == FieldOp.JsonItem)
        {
            json.WriteList(first, field.Layout!);
        }
        else
        {
            json.WriteMerged(first, field.Layout!);
        }

        Append(field, batch, column, ref json);
    }

    private static void WriteJsonValue(
        FieldPlan field, ref byte source, int at, int end, Batch batch, StringColumn column)
    {
        var json = new JsonTranscoder(ref source, batch.Scratch);
        json.WriteOne(at, end, field.Layout!.Fields[1].Message!);
        Append(field, batch, column, ref json);
    }

    private static void Append(FieldPlan field, Batch batch, StringColumn column, ref JsonTranscoder json)
    {
        if (json.FoundTimeOutOfRange)
        {
            batch.ItemOutOfRange ??= field;
        }

        column.Append(json.Finish());
    }
}
