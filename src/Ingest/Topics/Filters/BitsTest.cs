namespace Ingest.Topics.Filters;

/// <summary>Whether a bool or an enum is a value.</summary>
internal sealed class BitsTest(ulong value) : ValueTest
{
    public override bool Matches(ulong bits, ReadOnlySpan<byte> bytes) => (uint)bits == (uint)value;
}
