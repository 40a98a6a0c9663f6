namespace Ingest.Decoding;

/// <summary>A field whose absence is a fault.</summary>
/// <param name="Plan">The field.</param>
/// <param name="Parent">The message that it lies in, without which it is not asked for; null for the row
/// itself.</param>
/// <param name="Fault">What to say of a row without it.</param>
internal sealed record Absence(FieldPlan Plan, FieldPlan? Parent, RowFault Fault)
{
    /// <summary>Whether a row with these fields lacks it.</summary>
    public bool IsIn(ulong[] seen) =>
        (seen[Plan.Word] & Plan.Bit) == 0 && (Parent is null || (seen[Parent.Word] & Parent.Bit) != 0);
}
