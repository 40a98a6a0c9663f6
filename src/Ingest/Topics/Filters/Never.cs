namespace Ingest.Topics.Filters;

/// <summary>A condition on a field that payloads of the kind do not have.</summary>
internal sealed class Never : FilterNode
{
    public override bool Matches(ReadOnlySpan<byte> payload) => false;
}
