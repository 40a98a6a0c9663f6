using System.Collections.Concurrent;
using System.Threading.Channels;
using Ingest.Log;
using Ingest.Schema;
using Ingest.Stores;
using Ingest.Stores.ClickHouse;
using Ingest.Tests.Log;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ingest.Tests.Stores.ClickHouse;

/// <summary>Nothing lost and nothing twice, whatever the servers do: segments go through the store writer.</summary>
[Collection(StandInCollection.Name)]
public sealed class ClickHouseFaultTests(StandInFixture servers) : IDisposable
{
    private static readonly TimeSpan s_long = TimeSpan.FromSeconds(60);
    private static int s_lastTable;

    private readonly string _directory = Directory.CreateTempSubdirectory("ingest-faults-").FullName;
    private readonly TableSchema _table = SegmentFile.Table($"faults_{Interlocked.Increment(ref s_lastTable)}");
    private readonly Channel<SealedSegment> _sealed = Channel.CreateUnbounded<SealedSegment>();
    private readonly ConcurrentQueue<SealedSegment> _released = [];

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [SkippableTheory]
    [InlineData(1, "fail 3")]
    [InlineData(3, "fail 3")]
    [InlineData(1, "refuse 3")]
    [InlineData(3, "refuse 3")]
    [InlineData(1, "hang 1")]
    [InlineData(3, "hang 1")]
    [InlineData(1, "silent 1")]
    [InlineData(3, "silent 1")]
    [InlineData(1, "afterwards 1")]
    [InlineData(3, "afterwards 1")]
    [InlineData(1, "short 2")]
    [InlineData(3, "short 2")]
    [InlineData(1, "reset 2 3000")]
    [InlineData(1, "close 2 0")]
    [InlineData(1, "close 2 1000")]
    [InlineData(1, "close 2 4000")]
    [InlineData(3, "close 2 5000")]
    public async Task A_fault_loses_nothing_and_repeats_nothing(int shards, string fault)
    {
        StandIn[] used = [.. servers.Servers.Take(shards)];
        await using ClickHouseStore store = await StandIn.OpenStoreAsync(_directory, used, Impatient);
        await store.EnsureTableAsync(_table, default);
        foreach (StandIn server in used)
        {
            await server.FaultAsync(fault);
        }

        SealedSegment[] segments = Segments(12);
        await using StoreWriter writer = Start(store);
        await SendAndStopAsync(writer, segments);

        Assert.True(writer.Status.Failures > 0, "the fault was never met");
        await StoredRows.AssertExactlyOnceAsync(_directory, used, segments);
    }

    [SkippableFact]
    public async Task What_the_server_still_works_on_is_not_sent_again()
    {
        // No token is remembered: a second INSERT would be seen. The time is long enough for a busy machine to take the body.
        StandIn[] used = [.. servers.Servers.Take(1)];
        await using ClickHouseStore store = await StandIn.OpenStoreAsync(
            _directory, used, options => options with { InsertTimeout = TimeSpan.FromSeconds(5) }, deduplicationWindow: 0);
        await store.EnsureTableAsync(_table, default);
        await used[0].FaultAsync("meanwhile 1");
        SealedSegment[] segments = Segments(1);
        await using StoreWriter writer = Start(store);
        await SendAndStopAsync(writer, segments);

        await StoredRows.AssertExactlyOnceAsync(_directory, used, segments);
        Assert.Equal((0L, 1L), (writer.Status.Inserts, writer.Status.AlreadyStored));
        Assert.True(writer.Status.Failures > 1, "it was not sent again while the server worked on it");
    }

    [SkippableFact]
    public async Task A_retry_that_is_older_than_the_deduplication_window_is_counted_first()
    {
        StandIn[] used = [.. servers.Servers.Take(1)];
        await using ClickHouseStore store = await StandIn.OpenStoreAsync(_directory, used, Impatient, deduplicationWindow: 2);
        await store.EnsureTableAsync(_table, default);
        await used[0].FaultAsync("silent 1");
        SealedSegment[] segments = Segments(4);
        await using StoreWriter writer = Start(store);
        await _sealed.Writer.WriteAsync(segments[0]);
        while (await store.CountRowsAsync(_table, segments[0].SegmentId, default) == 0)
        {
            Assert.Equal(0, writer.Status.Failures);
        }

        foreach (SealedSegment other in segments[1..])
        {
            await store.InsertAsync(other, default);
        }

        await SendAndStopAsync(writer);
        Assert.Equal((0L, 1L), (writer.Status.Inserts, writer.Status.AlreadyStored));
        await StoredRows.AssertExactlyOnceAsync(_directory, used, segments);

        // The token is forgotten indeed: without the count the rows would be there twice.
        SealedSegment again = SegmentFile.Write(
            _directory, _table, segments[0].SegmentId, [100, 200, 100], segments[0].Token);
        await store.InsertAsync(again, default);
        Assert.Equal(2 * again.Rows, await store.CountRowsAsync(_table, again.SegmentId, default));
    }

    [SkippableFact]
    public async Task A_segment_that_the_server_calls_cut_short_is_bad_data_at_the_third_time_only()
    {
        StandIn[] used = [.. servers.Servers.Take(1)];
        await using ClickHouseStore store = await StandIn.OpenStoreAsync(_directory, used, Impatient);
        await used[0].FaultAsync("short 3");
        SealedSegment segment = Segments(1)[0];
        var faults = new List<StoreFault>();
        for (int i = 0; i < 3; i++)
        {
            faults.Add((await Assert.ThrowsAsync<StoreException>(() => store.InsertAsync(segment, default))).Fault);
        }

        Assert.Equal([StoreFault.Unavailable, StoreFault.Unavailable, StoreFault.BadData], faults);
    }

    [SkippableFact]
    public async Task A_body_closed_at_every_thousandth_byte_loses_nothing_and_repeats_nothing()
    {
        StandIn[] used = [.. servers.Servers.Take(1)];
        await using ClickHouseStore store = await StandIn.OpenStoreAsync(_directory, used, Impatient);
        SealedSegment[] segments = Segments(1);
        await using StoreWriter writer = Start(store);
        for (long at = 0; at < segments[0].Length; at += 1000)
        {
            await used[0].FaultAsync($"close 1 {at}");
            SealedSegment segment = SegmentFile.Write(
                _directory, _table, segments[^1].SegmentId + 1, [100, 200, 100]);
            segments = [.. segments, segment];
            await _sealed.Writer.WriteAsync(segment);
            int expected = segments.Length - 1;
            await Eventually.BeAsync(() => _released.Count == expected);
        }

        await SendAndStopAsync(writer, segments[0]);
        Assert.True(writer.Status.Failures >= segments.Length - 1, "a fault was never met");
        await StoredRows.AssertExactlyOnceAsync(_directory, used, segments);
    }

    [SkippableTheory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task A_server_killed_in_mid_insert_loses_nothing_and_repeats_nothing(int shards)
    {
        StandIn[] used = [.. servers.Servers.Take(shards)];
        await using ClickHouseStore store = await StandIn.OpenStoreAsync(_directory, used, Impatient);
        await used[0].FaultAsync("hold 1");
        SealedSegment[] segments = Segments(12);
        await using StoreWriter writer = Start(store);
        Task sent = SendAndStopAsync(writer, segments);
        Assert.Equal("holding", await used[0].LineAsync());
        await used[0].KillAsync();
        await used[0].StartAsync();
        await sent;

        await StoredRows.AssertExactlyOnceAsync(_directory, used, segments);
    }

    [SkippableFact]
    public async Task A_dead_shard_holds_up_only_what_was_sent_to_it_and_the_rest_goes_elsewhere()
    {
        StandIn[] used = [.. servers.Servers];
        await using ClickHouseStore store = await StandIn.OpenStoreAsync(_directory, used, Impatient);
        await store.EnsureTableAsync(_table, default);
        SealedSegment[] segments = Segments(24, DateTimeOffset.UtcNow);
        SealedSegment attempted = segments.First(segment => store.LaneOf(segment) == 0);
        await used[0].FaultAsync("hold 1");
        await using StoreWriter writer = Start(store);
        await _sealed.Writer.WriteAsync(attempted);
        Assert.Equal("holding", await used[0].LineAsync());
        await used[0].KillAsync();
        await Eventually.BeAsync(() => writer.Status.Failures > 0);
        SealedSegment[] others = [.. segments.Where(segment => segment != attempted)];
        foreach (SealedSegment segment in others)
        {
            await _sealed.Writer.WriteAsync(segment);
        }

        await Eventually.BeAsync(() => _released.Count == others.Length);
        Assert.DoesNotContain(attempted, _released);
        await StoredRows.AssertExactlyOnceAsync(_directory, used[1..], others);

        await used[0].StartAsync();
        await SendAndStopAsync(writer);
        Assert.Contains(attempted, _released);
        await StoredRows.AssertExactlyOnceAsync(_directory, used, segments);
        await StoredRows.AssertExactlyOnceAsync(_directory, used[..1], [attempted]);
    }

    [SkippableFact]
    public async Task Where_a_segment_was_sent_is_known_after_a_restart()
    {
        StandIn[] used = [.. servers.Servers];
        SealedSegment segment;
        await using (ClickHouseStore store = await StandIn.OpenStoreAsync(_directory, used, Impatient))
        {
            segment = Segments(24, DateTimeOffset.UtcNow).First(s => store.LaneOf(s) == 0);
            await used[0].KillAsync();
            await used[1].FaultAsync("silent 1");
            await used[2].FaultAsync("silent 1");
            StoreException fault = await Assert.ThrowsAsync<StoreException>(() => store.InsertAsync(segment, default));
            Assert.Equal(StoreFault.Unavailable, fault.Fault);
        }

        await used[0].StartAsync();
        await used[1].FaultAsync("ok 0");
        await used[2].FaultAsync("ok 0");
        await using ClickHouseStore next = await StandIn.OpenStoreAsync(_directory, used, Impatient);
        await using StoreWriter writer = Start(next);
        await SendAndStopAsync(writer, segment with { Recovered = true });
        Assert.Equal((0L, 1L), (writer.Status.Inserts, writer.Status.AlreadyStored));
        await StoredRows.AssertExactlyOnceAsync(_directory, used, [segment]);
    }

    [SkippableFact]
    public async Task A_shard_that_is_taken_from_the_list_is_waited_for_by_what_was_sent_to_it()
    {
        StandIn[] used = [.. servers.Servers.Take(2)];
        SealedSegment segment = Segments(1)[0];
        int home;
        await using (ClickHouseStore store = await StandIn.OpenStoreAsync(_directory, used, Impatient))
        {
            home = store.LaneOf(segment);
            await used[home].FaultAsync("silent 1");
            await Assert.ThrowsAsync<StoreException>(() => store.InsertAsync(segment, default));
        }

        await using ClickHouseStore fewer = await StandIn.OpenStoreAsync(_directory, [used[1 - home]], Impatient);
        StoreException fault = await Assert.ThrowsAsync<StoreException>(
            () => fewer.CountRowsAsync(_table, segment.SegmentId, default));
        Assert.Equal(StoreFault.Unavailable, fault.Fault);
        Assert.Contains(used[home].Url, fault.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<StoreException>(() => fewer.InsertAsync(segment, default));
        await StoredRows.AssertExactlyOnceAsync(_directory, used, [segment]);
    }

    private SealedSegment[] Segments(int count, DateTimeOffset? opened = null)
    {
        ulong first = opened is { } time ? (ulong)time.ToUnixTimeMilliseconds() << 22 : SegmentFile.Id(0);
        return
        [
            .. Enumerable.Range(1, count).Select(
                i => SegmentFile.Write(_directory, _table, first + (ulong)(i * 1000), [100, 200, 100])),
        ];
    }

    private StoreWriter Start(IStore store)
    {
        var writer = new StoreWriter(
            store, _sealed.Reader, Release, Path.Combine(_directory, "quarantine"),
            new StoreOptions
            {
                RetryDelay = TimeSpan.FromMilliseconds(5),
                MaxRetryDelay = TimeSpan.FromMilliseconds(100),
            },
            NullLogger.Instance, TimeProvider.System);
        writer.Start();
        return writer;
    }

    private void Release(SealedSegment segment)
    {
        File.Delete(segment.Path);
        _released.Enqueue(segment);
    }

    private async Task SendAndStopAsync(StoreWriter writer, params SealedSegment[] segments)
    {
        foreach (SealedSegment segment in segments)
        {
            await _sealed.Writer.WriteAsync(segment);
        }

        _sealed.Writer.Complete();
        await writer.StopAsync(s_long);
        Assert.Equal(0, writer.Status.WaitingSegments);
    }

    // Servers that hang are waited for that long.
    private static ClickHouseOptions Impatient(ClickHouseOptions options) =>
        options with { InsertTimeout = TimeSpan.FromSeconds(2) };
}
