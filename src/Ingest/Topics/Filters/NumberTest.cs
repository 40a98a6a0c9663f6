using Ingest.Schema;
using Ingest.V1;

namespace Ingest.Topics.Filters;

/// <summary>Compares a number, or a duration in seconds; NaN compares with nothing.</summary>
internal sealed class NumberTest(ValueKind kind, ComparisonOperator comparison, double value) : ValueTest
{
    public override bool Matches(ulong bits, ReadOnlySpan<byte> bytes) =>
        Compare(comparison, kind == ValueKind.Duration ? Moment.Read(bytes).Seconds : NumberOf(kind, bits), value);

    /// <summary>Compares two numbers.</summary>
    public static bool Compare(ComparisonOperator comparison, double left, double right) => comparison switch
    {
        ComparisonOperator.Equal => left == right,
        ComparisonOperator.Less => left < right,
        ComparisonOperator.LessOrEqual => left <= right,
        ComparisonOperator.Greater => left > right,
        ComparisonOperator.GreaterOrEqual => left >= right,
        _ => false,
    };

    private static double NumberOf(ValueKind kind, ulong bits) => kind switch
    {
        ValueKind.Double => BitConverter.UInt64BitsToDouble(bits),
        ValueKind.Float => BitConverter.UInt32BitsToSingle((uint)bits),
        ValueKind.Int32 or ValueKind.SFixed32 => (int)bits,
        ValueKind.Int64 or ValueKind.SFixed64 => (long)bits,
        ValueKind.SInt32 or ValueKind.SInt64 => (long)(bits >> 1) ^ -(long)(bits & 1),
        _ => bits,
    };
}
