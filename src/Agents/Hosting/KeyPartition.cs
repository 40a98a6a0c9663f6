using System.Text;
using Ingest.Feed;

namespace Ingest.Agents.Hosting;

/// <summary>Which partition a key belongs to: the same in every run, since state is saved by partition.</summary>
internal static class KeyPartition
{
    /// <summary>The partition of a key in UTF-8 (FNV-1a, finished as in murmur3).</summary>
    public static int Of(ReadOnlySpan<byte> key, int partitions)
    {
        uint hash = 2166136261;
        foreach (byte b in key)
        {
            hash = (hash ^ b) * 16777619;
        }

        hash ^= hash >> 16;
        hash *= 0x85ebca6b;
        hash ^= hash >> 13;
        return (int)(hash % (uint)partitions);
    }

    /// <summary>The partition of a key; an empty one is partition 0's.</summary>
    public static int Of(string key, int partitions) =>
        key.Length == 0 ? 0 : Of(Encoding.UTF8.GetBytes(key), partitions);

    /// <summary>The rows of a block that are a partition's; null for all of them.</summary>
    public static int[]? RowsOf(CommittedBlock block, AgentInput input, int partition, int partitions)
    {
        if (partitions == 1)
        {
            return null;
        }

        if (input.Key is not { } key)
        {
            return partition == 0 ? null : [];
        }

        BlockTexts keys = block.Texts(key);
        var rows = new List<int>(block.RowCount / partitions);
        for (int row = 0; row < block.RowCount; row++)
        {
            if (Of(keys[row], partitions) == partition)
            {
                rows.Add(row);
            }
        }

        return [.. rows];
    }
}
