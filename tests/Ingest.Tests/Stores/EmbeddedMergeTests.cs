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

    [SkippableFact]
    public async Task Merges_give_way_to_inserts()
    {
        await engine.Store.EnsureTableAsync(SegmentFile.Table("merges_give_way"), default);
        Skip.IfNot(OperatingSystem.IsLinux(), "Niceness of threads is Linux's.");
        int[] merges = [.. Directory.GetDirectories("/proc/self/task").Select(NicenessOfMerge).OfType<int>()];
        Assert.NotEmpty(merges);
        Assert.All(merges, nice => Assert.Equal(19, nice));
    }

    // The name stands in parentheses; the niceness is the 17th field behind it (proc_pid_stat(5)).
    private static int? NicenessOfMerge(string task)
    {
        try
        {
            string stat = File.ReadAllText(Path.Combine(task, "stat"));
            return stat.Contains("(MergeMutate)", StringComparison.Ordinal)
                ? int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[16], CultureInfo.InvariantCulture)
                : null;
        }
        catch (IOException)
        {
            return null; // It has ended.
        }
    }
}
