namespace Ingest.Topics.Filters;

/// <summary>Whether a value is one of several.</summary>
internal sealed class MemberTest(ValueTest[] members) : ValueTest
{
    public override bool Matches(ulong bits, ReadOnlySpan<byte> bytes)
    {
        foreach (ValueTest member in members)
        {
            if (member.Matches(bits, bytes))
            {
                return true;
            }
        }

        return false;
    }
}
