namespace Ingest.Schema;

/// <summary>
/// Numbers the bits that say which fields a row has: a column's bit is its place in the table; the bits of flattened
/// messages follow.
/// </summary>
internal static class PresenceBits
{
    /// <summary>Bits that a table's rows need.</summary>
    public static int Count(IEnumerable<FieldNode> fields) => fields.Sum(CountOf);

    private static int CountOf(FieldNode node) => node.Shape switch
    {
        FieldShape.Flattened => 1 + Count(node.Children),
        FieldShape.Skipped => 0,
        _ => 1,
    };
}
