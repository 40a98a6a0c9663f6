using System.Diagnostics;
using System.Globalization;
using System.Text;
using Ingest.Log;
using Ingest.Log.Inspection;
using Ingest.Schema;
using Ingest.Stores;
using Ingest.Stores.Embedded;

namespace Ingest.EngineBench;

/// <summary>Segments that are ready on disk, inserted one after the other into an engine of its own.</summary>
internal static class EngineRun
{
    // Small ones come from the log's start and end.
    private const long LeastRows = 500_000;

    private static readonly TimeSpan s_idle = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(200);

    public static async Task RunAsync(string dataDirectory, int count, bool orderRows)
    {
        TableSchema table = BuiltInTables.All.Single(t => t.Name == "gps_points");
        SealedSegment[] segments =
        [
            .. LogInspection.Read(dataDirectory).Tables.Single(t => t.Name == table.Name).Segments
                .Where(segment => segment.Rows >= LeastRows)
                .Select(s => new SealedSegment(table, s.Id, s.Path, s.Bytes, s.Rows, $"bench/{s.Id}", Recovered: false))
                .Take(count + 1),
        ];
        string directory = Directory.CreateTempSubdirectory("ingest-engine-").FullName;
        try
        {
            await using EmbeddedStore store = await EmbeddedStore.OpenAsync(
                directory, new StoreOptions { OrderRows = orderRows });
            await store.EnsureTableAsync(table, CancellationToken.None);

            // The first makes the engine ready.
            await store.InsertAsync(segments[0], CancellationToken.None);
            segments = segments[1..];
            TimeSpan before = Environment.CpuUsage.TotalTime;
            var clock = Stopwatch.StartNew();
            foreach (SealedSegment segment in segments)
            {
                await store.InsertAsync(segment, CancellationToken.None);
            }

            TimeSpan inserted = Environment.CpuUsage.TotalTime - before;
            double seconds = clock.Elapsed.TotalSeconds;
            await WaitUntilIdleAsync(store);
            TimeSpan all = Environment.CpuUsage.TotalTime - before;
            double millions = segments.Sum(segment => segment.Rows) / 1e6;
            string merged = await AskAsync(store, "SELECT sum(value) FROM system.events WHERE event = 'MergedRows'");
            double passes = double.Parse(merged, CultureInfo.InvariantCulture) / 1e6 / millions;
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"engine alone: {segments.Length} segments, {millions:0.00} M rows, {millions / seconds:0.00} M rows/s; CPU s a million: {inserted.TotalSeconds / millions:0.000} when all were inserted, {all.TotalSeconds / millions:0.000} when merges were idle, {passes:0.00} merges a row"));
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private static async Task WaitUntilIdleAsync(EmbeddedStore store)
    {
        var idle = Stopwatch.StartNew();
        while (idle.Elapsed < s_idle)
        {
            await Task.Delay(s_look);
            if (await AskAsync(store, "SELECT count() FROM system.merges") != "0")
            {
                idle.Restart();
            }
        }
    }

    private static async Task<string> AskAsync(EmbeddedStore store, string query)
    {
        var answer = new StringBuilder();
        await foreach (ReadOnlyMemory<byte> piece in store.QueryAsync(query, new QueryLimits(), CancellationToken.None))
        {
            answer.Append(Encoding.UTF8.GetString(piece.Span));
        }

        return answer.ToString().Trim();
    }
}
