using Ingest.Columns;

namespace Ingest.Decoding;

// Taking back what a row has written.
public sealed partial class RowDecoder
{
    private static void ClearSiblings(FieldPlan field, Batch batch, int row)
    {
        foreach (FieldPlan sibling in field.Siblings)
        {
            if (sibling.IsDeferred)
            {
                batch.Scratch.Occurrences.Clear(sibling.Chain);
                continue;
            }

            ref ulong seen = ref batch.Seen[sibling.Word];
            if ((seen & sibling.Bit) == 0)
            {
                continue;
            }

            seen &= ~sibling.Bit;
            if (sibling.Column >= 0)
            {
                batch.Columns[sibling.Column].Rewind(row);
            }
        }
    }

    private void Rewind(Batch batch, int row)
    {
        (batch.UnreadableText, batch.ItemOutOfRange, batch.NameTooLong) = (null, null, null);
        foreach (FieldPlan leaf in _leaves)
        {
            if ((batch.Seen[leaf.Word] & leaf.Bit) != 0)
            {
                batch.Columns[leaf.Column].Rewind(row);
            }
        }
    }
}
