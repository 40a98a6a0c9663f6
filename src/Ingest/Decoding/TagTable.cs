namespace Ingest.Decoding;

/// <summary>
/// From tag to what is known of it: an array for the small tags that nearly all are, a dictionary for the rest.
/// </summary>
internal sealed class TagTable<T>
    where T : class
{
    private const uint SmallTags = 1024;

    private readonly T?[] _small;
    private readonly Dictionary<uint, T> _large = [];

    public TagTable(IReadOnlyDictionary<uint, T> entries)
    {
        Entries = entries;
        _small = new T?[entries.Keys.Where(t => t < SmallTags).Select(t => (int)t + 1).DefaultIfEmpty(0).Max()];
        foreach ((uint tag, T entry) in entries)
        {
            if (tag < SmallTags)
            {
                _small[tag] = entry;
            }
            else
            {
                _large.Add(tag, entry);
            }
        }
    }

    /// <summary>All that is known, by tag.</summary>
    public IReadOnlyDictionary<uint, T> Entries { get; }

    /// <summary>What is known of a tag, or null for a tag that the schema does not have.</summary>
    public T? Find(uint tag)
    {
        T?[] small = _small;
        return tag < (uint)small.Length ? small[tag] : FindLarge(tag);
    }

    private T? FindLarge(uint tag) => tag < SmallTags ? null : _large.GetValueOrDefault(tag);
}
