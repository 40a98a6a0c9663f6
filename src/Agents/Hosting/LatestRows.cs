using Ingest.Feed;

namespace Ingest.Agents.Hosting;

/// <summary>
/// Finds the latest row of each key among blocks that are looked through from the newest to the oldest.
/// </summary>
internal sealed class LatestRows(int partition, int partitions)
{
    private readonly Dictionary<string, HashSet<KeyedRow>> _seen = new(StringComparer.Ordinal);

    /// <summary>Rows of a block that are the partition's and of whose keys no later row was seen.</summary>
    /// <param name="mail">The block.</param>
    /// <param name="skipped">The partition's rows of which a later one was seen.</param>
    public int[] Of(Mail mail, out int skipped)
    {
        AgentInput input = mail.Input;
        if (!_seen.TryGetValue(input.Table, out HashSet<KeyedRow>? seen))
        {
            _seen.Add(input.Table, seen = []);
        }

        CommittedBlock block = mail.Block;
        BlockTexts keys = block.Texts(input.Key!);
        var rows = new List<int>();
        skipped = 0;
        int count = mail.Rows?.Length ?? block.RowCount;
        for (int i = count - 1; i >= 0; i--)
        {
            int row = mail.Rows is null ? i : mail.Rows[i];
            ReadOnlySpan<byte> key = keys[row];
            if (mail.Rows is null && partitions > 1 && KeyPartition.Of(key, partitions) != partition)
            {
                continue;
            }

            var hash = default(HashCode);
            hash.AddBytes(key);
            if (seen.Add(new KeyedRow(block, input.Key!, row, hash.ToHashCode())))
            {
                rows.Add(row);
            }
            else
            {
                skipped++;
            }
        }

        rows.Reverse();
        return [.. rows];
    }

    private readonly record struct KeyedRow(CommittedBlock Block, string Column, int Row, int Hash)
    {
        public bool Equals(KeyedRow other) => Hash == other.Hash
            && Block.Texts(Column)[Row].SequenceEqual(other.Block.Texts(other.Column)[other.Row]);

        public override int GetHashCode() => Hash;
    }
}
