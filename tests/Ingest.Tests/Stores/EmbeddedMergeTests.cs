using System.Diagnostics;
using System.Globalization;
using Ingest.Schema;
using Ingest.Stores;
using Ingest.Stores.Embedded;

namespace Ingest.Tests.Stores;

[Collection(EngineCollection.Name)]
public sealed class EmbeddedMergeTests(EngineFixture engine)
{
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(60);

    [SkippableFact]
    public async Task Parts_are_merged_sixteen_at_a_time_or_more()
    {
        EmbeddedStore store = engine.Store;
        TableSchema table = SegmentFile.Table("merged_sixteen");
        await store.EnsureTableAsync(table, default);
        for (ulong id = 1; id <= 20; id++)
        {
            await store.InsertAsync(SegmentFile.Write(engine.Directory, table, SegmentFile.Id(id), [10]), default);
        }

        string merged = $"FROM system.parts WHERE table = '{table.Name}' AND level > 0";
        var clock = Stopwatch.StartNew();
        while (await store.TextAsync($"SELECT count() {merged}") == "0\n")
        {
            Assert.True(clock.Elapsed < s_deadline, "nothing was merged");
            await Task.Delay(50);
        }

        string least = await store.TextAsync($"SELECT min(max_block_number - min_block_number + 1) {merged}");
        Assert.True(int.Parse(least, CultureInfo.InvariantCulture) >= 16, least);
        Assert.Equal("200\n", await store.TextAsync($"SELECT count() FROM {table.Name}"));
    }
}
