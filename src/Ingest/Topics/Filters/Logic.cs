namespace Ingest.Topics.Filters;

/// <summary>All, or one at least, of several conditions.</summary>
internal sealed class Logic(FilterNode[] conditions, bool isAll) : FilterNode
{
    public override bool Matches(ReadOnlySpan<byte> payload)
    {
        foreach (FilterNode condition in conditions)
        {
            if (condition.Matches(payload) != isAll)
            {
                return !isAll;
            }
        }

        return isAll;
    }
}
