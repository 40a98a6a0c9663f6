using Ingest.V1;

namespace Ingest.Topics.Filters;

/// <summary>Compares text, byte by byte in UTF-8: the order of code points.</summary>
internal sealed class TextTest(ComparisonOperator comparison, byte[] value) : ValueTest
{
    public override bool Matches(ulong bits, ReadOnlySpan<byte> bytes) => comparison switch
    {
        ComparisonOperator.Equal => bytes.SequenceEqual(value),
        ComparisonOperator.Prefix => bytes.StartsWith(value),
        _ => Holds(comparison, bytes.SequenceCompareTo(value)),
    };

    /// <summary>Whether an order, as comparers tell it, is the one that is asked for.</summary>
    public static bool Holds(ComparisonOperator comparison, int order) => comparison switch
    {
        ComparisonOperator.Equal => order == 0,
        ComparisonOperator.Less => order < 0,
        ComparisonOperator.LessOrEqual => order <= 0,
        ComparisonOperator.Greater => order > 0,
        ComparisonOperator.GreaterOrEqual => order >= 0,
        _ => false,
    };
}
