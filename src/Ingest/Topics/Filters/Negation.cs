namespace Ingest.Topics.Filters;

/// <summary>The opposite of a condition.</summary>
internal sealed class Negation(FilterNode condition) : FilterNode
{
    public override bool Matches(ReadOnlySpan<byte> payload) => !condition.Matches(payload);
}
