namespace Ingest.Topics.Filters;

/// <summary>A condition on the bytes of a payload, compiled for the payload's message.</summary>
/// <remarks>Hot: evaluated once an update and subscription on the reader's thread; allocates nothing.</remarks>
internal abstract class FilterNode
{
    /// <summary>Whether a payload satisfies it.</summary>
    /// <param name="payload">The serialised message.</param>
    public abstract bool Matches(ReadOnlySpan<byte> payload);
}
