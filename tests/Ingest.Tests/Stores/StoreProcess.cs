using System.Diagnostics;
using Ingest.Log;
using Ingest.Schema;
using Ingest.Stores;
using Ingest.Stores.Embedded;

namespace Ingest.Tests.Stores;

/// <summary>Runs a piece of a store test in a process of its own, which has its own engine.</summary>
internal static class StoreProcess
{
    /// <summary>Opens the directory, inserts the segment or prepares it, and prints how many of its rows the store has then.</summary>
    public static async Task RunAsync(string directory, string segmentPath, string token)
    {
        try
        {
            await using EmbeddedStore store = await EmbeddedStore.OpenAsync(directory, new StoreOptions());
            TableSchema table = SegmentFile.Table("restarted");
            await store.EnsureTableAsync(table, default);
            var segment = new SealedSegment(
                table, SegmentFile.Id(1), segmentPath, new FileInfo(segmentPath).Length, 10, token, Recovered: true);
            if (token == "prepared")
            {
                store.Prepare(segment);
            }
            else
            {
                await store.InsertAsync(segment, default);
            }

            Console.WriteLine(await store.CountRowsAsync(table, segment.SegmentId, default));
            if (token == "hold")
            {
                await Console.In.ReadLineAsync();
            }
        }
        catch (StoreException e)
        {
            Console.WriteLine(e.Message);
        }
    }

    /// <summary>Starts this assembly as that process.</summary>
    public static Process Start(string directory, string segmentPath, string token)
    {
        var start = new ProcessStartInfo("dotnet")
        {
            RedirectStandardOutput = true,
            RedirectStandardInput = true,
            ArgumentList = { "exec", typeof(StoreProcess).Assembly.Location, "store", directory, segmentPath, token },
        };
        return Process.Start(start)!;
    }
}
