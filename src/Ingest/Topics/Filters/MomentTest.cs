using Ingest.V1;

namespace Ingest.Topics.Filters;

/// <summary>Compares a timestamp.</summary>
internal sealed class MomentTest(ComparisonOperator comparison, Moment value) : ValueTest
{
    public override bool Matches(ulong bits, ReadOnlySpan<byte> bytes) =>
        TextTest.Holds(comparison, Moment.Read(bytes).CompareTo(value));
}
