namespace Ingest.Topics.Filters;

/// <summary>A condition on the value of a field.</summary>
/// <remarks>Hot; allocates nothing. Each test reads the part of the value that its kind of field has.</remarks>
internal abstract class ValueTest
{
    /// <summary>Whether a value satisfies it.</summary>
    /// <param name="bits">A number, an enum or a bool as it came.</param>
    /// <param name="bytes">Text, bytes or a message.</param>
    public abstract bool Matches(ulong bits, ReadOnlySpan<byte> bytes);

    /// <summary>A test that any value satisfies.</summary>
    public static ValueTest Anything { get; } = new AnyValue();

    private sealed class AnyValue : ValueTest
    {
        public override bool Matches(ulong bits, ReadOnlySpan<byte> bytes) => true;
    }
}
