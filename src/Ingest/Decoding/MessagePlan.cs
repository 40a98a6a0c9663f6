namespace Ingest.Decoding;

/// <summary>From tag to step: an array for the small tags that nearly all are, a dictionary for the rest.</summary>
internal sealed class MessagePlan
{
    private const uint SmallTags = 1024;

    private readonly FieldPlan?[] _small;
    private readonly Dictionary<uint, FieldPlan> _large;

    public MessagePlan(IReadOnlyDictionary<uint, FieldPlan> steps)
    {
        _small = new FieldPlan?[steps.Keys.Where(t => t < SmallTags).Select(t => (int)t + 1).DefaultIfEmpty(0).Max()];
        _large = [];
        foreach ((uint tag, FieldPlan step) in steps)
        {
            if (tag < SmallTags)
            {
                _small[tag] = step;
            }
            else
            {
                _large.Add(tag, step);
            }
        }
    }

    /// <summary>The step for a tag, or null for a tag that the schema does not know.</summary>
    public FieldPlan? Find(uint tag)
    {
        FieldPlan?[] small = _small;
        return tag < (uint)small.Length ? small[tag] : FindLarge(tag);
    }

    private FieldPlan? FindLarge(uint tag) => tag < SmallTags ? null : _large.GetValueOrDefault(tag);
}
