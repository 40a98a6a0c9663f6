using Ingest.Log;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ingest.Tests.Log.Crashes;

/// <summary>
/// Starts the log on what a crash left, goes on as senders would, and looks whether every row that was promised is in
/// the store once.
/// </summary>
internal sealed class CrashCheck(string directory)
{
    // Rows that producers send beyond what they had sent before the crash.
    private const int MoreRows = 3;

    /// <summary>Segments' pieces that recoveries set aside although nothing was rotten.</summary>
    public int Quarantined { get; private set; }

    /// <summary>Recoveries that were looked at.</summary>
    public int Recoveries { get; private set; }

    /// <summary>Recovers, goes on and checks; the disk's journal then holds what was done.</summary>
    public async Task RunAsync(SimulatedDisk disk, Ledger before)
    {
        Recoveries++;
        var store = new SimulatedStore(disk, before);
        var log = await SegmentLog.OpenAsync(
            CrashScenario.OptionsFor(directory), CrashTables.All, NullLogger.Instance, TimeProvider.System, disk, default);
        Quarantined += log.Recovery.Quarantined;
        await using var writer = CrashScenario.WriterFor(log, store, directory);
        writer.Start();
        var ends = new Dictionary<(string Table, int Producer), long>();
        foreach (var ((table, producer), promise) in before.Promises)
        {
            var lane = log.Lane(CrashTables.All.Single(known => known.Name == table));
            ends.Add((table, producer), await GoOnAsync(disk, store, lane, producer, promise, before));
        }

        await log.SealAsync();
        await log.StopAsync();
        await writer.StopAsync(TimeSpan.FromSeconds(30));
        var status = writer.Status;
        await log.DisposeAsync();
        Assert.Equal(0, status.Quarantined);
        foreach (var table in CrashTables.All)
        {
            ExpectOnce(table.Name, store.RowsOf(table.Name), ends, before);
        }
    }

    private static async Task<long> GoOnAsync(
        SimulatedDisk disk, SimulatedStore store, Lane lane, int producer, Ledger.Promise promise, Ledger before)
    {
        if (promise.Epoch > 0)
        {
            var old = new CrashSession(disk, lane.Table.Name, producer, promise.Epoch - 1);
            Assert.Equal(ProducerOpenResult.OlderEpoch, (await lane.OpenProducerAsync(old)).Result);
        }

        var sender = new CrashSender(disk, lane, producer, promise.Tried);
        var opening = (await sender.OpenAsync())!.Value;
        var name = $"{lane.Table.Name} of producer {producer}";
        Assert.True(
            opening.DurableOffset >= promise.Durable,
            $"{name}: told {promise.Durable} as durable, of which {opening.DurableOffset} are left");
        Assert.True(
            opening.DurableOffset <= promise.Sent,
            $"{name}: {opening.DurableOffset} are durable, of {promise.Sent} that were sent");
        Assert.True(opening.StoredOffset <= opening.DurableOffset, $"{name}: more is stored than durable");
        ExpectStored(name, producer, promise.Stored, before.Stored.Where(one => one.Key.Table == lane.Table.Name).SelectMany(one => one.Value));
        ExpectStored(name, producer, opening.StoredOffset, store.RowsOf(lane.Table.Name));
        var end = promise.Sent + MoreRows;
        while (sender.Next < end)
        {
            await sender.SendAsync((int)Math.Min(20, end - sender.Next), again: 1);
        }

        await sender.SettleAsync();
        Assert.Equal(end, sender.Next);
        return end;
    }

    private static void ExpectStored(string name, int producer, long end, IEnumerable<long> stored)
    {
        var missing = CrashTables.RowsBelow(producer, end).Except(stored).ToList();
        Assert.True(missing.Count == 0, $"{name}: told as stored, and not in the store: {string.Join(' ', missing.Take(20))}");
    }

    private static void ExpectOnce(
        string table, List<long> rows, Dictionary<(string Table, int Producer), long> ends, Ledger before)
    {
        var distinct = rows.ToHashSet();
        var twice = rows.GroupBy(row => row).Where(row => row.Count() > 1).Select(row => row.Key).ToList();
        Assert.True(twice.Count == 0, $"{table}: rows twice: {string.Join(' ', twice.Take(20))}");
        var expected = ends.Where(end => end.Key.Table == table)
            .SelectMany(end => CrashTables.RowsBelow(end.Key.Producer, end.Value))
            .Concat(before.RowsTold.Where(told => told.Table == table).Select(told => told.Row)).ToHashSet();
        var missing = expected.Except(distinct).ToList();
        Assert.True(missing.Count == 0, $"{table}: rows missing: {string.Join(' ', missing.Take(20))}");
        var unknown = distinct.Except(expected).Where(row => row < CrashTables.FirstAnonymousRow).ToList();
        Assert.True(unknown.Count == 0, $"{table}: rows that nobody sent: {string.Join(' ', unknown.Take(20))}");
    }
}
