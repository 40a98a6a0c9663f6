using System.Text;

namespace Ingest.Stores.Sorting;

/// <summary>A column of a segment: its name and type as the blocks say, and what sorts it.</summary>
internal sealed record SegmentColumn(string Name, string Type)
{
    private readonly byte[] _name = Encoding.UTF8.GetBytes(Name);
    private readonly byte[] _type = Encoding.UTF8.GetBytes(Type);

    /// <summary>What sorts its values.</summary>
    public SortedValues Values { get; } = SortedValues.Of(Type);

    /// <summary>Whether a block names it so.</summary>
    public bool Is(ReadOnlySpan<byte> name, ReadOnlySpan<byte> type) =>
        name.SequenceEqual(_name) && type.SequenceEqual(_type);
}
