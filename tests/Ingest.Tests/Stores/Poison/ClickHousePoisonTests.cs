using Ingest.Log;
using Ingest.Stores;
using Ingest.Stores.ClickHouse;
using Ingest.Tests.Stores.ClickHouse;

namespace Ingest.Tests.Stores.Poison;

/// <summary>The same over HTTP, with servers that fail in the middle of the search.</summary>
[Collection(StandInCollection.Name)]
public sealed class ClickHousePoisonTests(StandInFixture servers) : IDisposable
{
    private const int Rows = 200;

    private readonly string _directory = Directory.CreateTempSubdirectory("ingest-poison-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [SkippableTheory]
    [InlineData(1, "fail 0")]
    [InlineData(1, "refuse 1")]
    [InlineData(1, "short 1")]
    [InlineData(1, "silent 1")]
    [InlineData(1, "afterwards 1 200")]
    [InlineData(1, "close 1 1000")]
    [InlineData(3, "silent 1")]
    public async Task Good_rows_land_once_and_bad_ones_are_dead_letters(int shards, string fault)
    {
        StandIn[] used = [.. servers.Servers.Take(shards)];
        await using ClickHouseStore store = await StandIn.OpenStoreAsync(
            _directory, used, options => options with { InsertTimeout = TimeSpan.FromSeconds(1) });
        using var table = new PoisonedTable(null);
        await store.EnsureTableAsync(table.Schema, default);
        foreach (StandIn server in used)
        {
            await server.QueryAsync($"ALTER TABLE {table.Schema.Name} ADD CONSTRAINT slow CHECK speed_kph < 100", "Null");
        }

        // The first insert is the whole segment; every seventh is in the midst of the search.
        var interrupted = new InterruptedStore(
            store, 7, () => Task.WhenAll(used.Select(server => server.FaultAsync(fault))));
        int[] bad = [40, 41, 199];
        SealedSegment segment = await table.WriteAsync(5, Rows / 5, bad);
        StoreWriterStatus status = await table.StoreAsync(interrupted, 500, segment);
        Assert.True(interrupted.Count >= 3, $"it happened {interrupted.Count} times");
        Assert.Equal((Rows - 3L, 3L, 0L), (status.Rows, status.DeadLetters, status.Quarantined));

        var stored = new List<string>();
        var letters = new List<string>();
        foreach (StandIn server in used)
        {
            await server.FaultAsync("fail 0");
            stored.AddRange(await LinesAsync(server, $"SELECT order_id FROM {table.Schema.Name}"));
            letters.AddRange(await LinesAsync(
                server, $"SELECT producer_offset FROM dead_letters WHERE table = '{table.Schema.Name}'"));
        }

        Assert.Equal(
            Enumerable.Range(0, Rows).Except(bad).Select(i => $"{i}").Order(StringComparer.Ordinal),
            stored.Order(StringComparer.Ordinal));
        Assert.Equal(["199", "40", "41"], letters.Order(StringComparer.Ordinal));
    }

    private async Task<string[]> LinesAsync(StandIn server, string query) =>
        (await StoredRows.AskAsync(_directory, server, query)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
