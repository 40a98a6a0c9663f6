using System.Globalization;
using Ingest.Log;
using Ingest.Stores;
using Ingest.Stores.ClickHouse;

namespace Ingest.Tests.Stores.ClickHouse;

/// <summary>Asks the servers themselves, each alone, what they have.</summary>
internal static class StoredRows
{
    /// <summary>Asserts that every row of the segments is in exactly one of the servers, once, and no other row is.</summary>
    public static async Task AssertExactlyOnceAsync(
        string directory, IEnumerable<StandIn> servers, IReadOnlyCollection<SealedSegment> segments)
    {
        var found = new List<(ulong SegmentId, long Rows, long Distinct)>();
        foreach (StandIn server in servers)
        {
            string answer = await AskAsync(
                directory, server,
                $"SELECT segment_id, count(), uniqExact(id) FROM {segments.First().Table.Name} GROUP BY segment_id");
            foreach (string line in answer.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            {
                string[] fields = line.Split('\t');
                found.Add((
                    ulong.Parse(fields[0], CultureInfo.InvariantCulture),
                    long.Parse(fields[1], CultureInfo.InvariantCulture),
                    long.Parse(fields[2], CultureInfo.InvariantCulture)));
            }
        }

        Assert.Equal(
            segments.Select(s => (s.SegmentId, s.Rows, s.Rows)).Order(),
            found.Order());
    }

    /// <summary>One server's answer; empty when it has no such table.</summary>
    public static async Task<string> AskAsync(string directory, StandIn server, string query)
    {
        string own = Directory.CreateDirectory(Path.Combine(directory, Guid.NewGuid().ToString("N"))).FullName;
        await using ClickHouseStore store = await StandIn.OpenStoreAsync(own, [server]);
        try
        {
            return await store.TextAsync(query);
        }
        catch (StoreException e) when (e.Message.StartsWith("Code: 60.", StringComparison.Ordinal))
        {
            return "";
        }
    }
}
