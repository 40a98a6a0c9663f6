using Ingest.Feed;

namespace Ingest.Agents;

/// <summary>Rows of a committed block that are an agent's partition's, in order. Nothing is copied.</summary>
/// <example><code>
/// ReadOnlySpan&lt;double&gt; latitudes = rows.Block.Numbers&lt;double&gt;("location_lat");
/// for (int i = 0; i &lt; rows.Count; i++)
/// {
///     Use(latitudes[rows[i]]);
/// }
/// </code></example>
public readonly struct AgentRows
{
    private readonly int[]? _rows;

    internal AgentRows(CommittedBlock block, int[]? rows, int count)
    {
        Block = block;
        _rows = rows;
        Count = count;
    }

    /// <summary>The block that they are of: its columns have more rows than these.</summary>
    public CommittedBlock Block { get; }

    /// <summary>Name of their table.</summary>
    public string Table => Block.Table.Name;

    /// <summary>How many they are.</summary>
    public int Count { get; }

    /// <summary>Row of the block that the one at <paramref name="index"/> is: the index into the columns.</summary>
    public int this[int index] => _rows is null ? index : _rows[index];
}
