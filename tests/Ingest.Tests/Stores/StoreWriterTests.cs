using System.Collections.Concurrent;
using System.Threading.Channels;
using Ingest.Log;
using Ingest.Schema;
using Ingest.Stores;
using Ingest.Tests.Log;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ingest.Tests.Stores;

public sealed class StoreWriterTests : IDisposable
{
    private static readonly TableSchema s_table = SegmentFile.Table("written");
    private static readonly TimeSpan s_long = TimeSpan.FromSeconds(30);

    private readonly string _directory = Directory.CreateTempSubdirectory("ingest-writer-").FullName;
    private readonly Channel<SealedSegment> _sealed = Channel.CreateUnbounded<SealedSegment>();
    private readonly ConcurrentQueue<SealedSegment> _released = [];

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task Segments_are_inserted_in_order_and_released()
    {
        var store = new ScriptedStore();
        await using StoreWriter writer = Start(store);
        SealedSegment[] segments = [Segment(1, 3), Segment(2, 4), Segment(3, 5)];
        await SendAndStopAsync(writer, segments);

        Assert.Equal(["table written", "insert 3", "insert 4", "insert 5"], store.Calls);
        Assert.Equal(segments, _released);
        StoreWriterStatus status = writer.Status;
        Assert.Equal((12L, 3L, 0L, 0), (status.Rows, status.Inserts, status.Failures, status.WaitingSegments));
        Assert.Equal(segments.Sum(s => s.Length), status.Bytes);
    }

    [Fact]
    public async Task A_store_that_is_away_is_asked_again_and_first_what_it_has()
    {
        var store = new ScriptedStore();
        store.Faults.Enqueue(new StoreException("away", StoreFault.Unavailable));
        store.Faults.Enqueue(new StoreException("no table", StoreFault.BadQuery));
        await using StoreWriter writer = Start(store);
        await SendAndStopAsync(writer, Segment(1, 3));

        Assert.Equal(
            ["table written", "insert 3", "table written", "count", "insert 3", "table written", "count", "insert 3"],
            store.Calls);
        Assert.Equal(2, writer.Status.Failures);
        Assert.Equal(3, store.Rows[SegmentFile.Id(1)]);
        Assert.Single(_released);
    }

    [Fact]
    public async Task A_fault_that_nobody_foresaw_is_tried_again_and_ends_no_tables_way()
    {
        var store = new ScriptedStore();
        store.Faults.Enqueue(new FormatException("not a number"));
        store.Faults.Enqueue(new OperationCanceledException("of the store's own"));
        await using StoreWriter writer = Start(store);
        await SendAndStopAsync(writer, Segment(1, 3), Segment(2, 4));

        Assert.Equal(2, writer.Status.Failures);
        Assert.Equal([3L, 4L], store.Rows.OrderBy(row => row.Key).Select(row => row.Value));
        Assert.Equal(2, _released.Count);
    }

    [Fact]
    public async Task A_recovered_segment_that_the_store_has_is_not_inserted_again()
    {
        var store = new ScriptedStore();
        store.Rows[SegmentFile.Id(1)] = 3;
        await using StoreWriter writer = Start(store);
        await SendAndStopAsync(
            writer, Segment(1, 3) with { Recovered = true }, Segment(2, 4) with { Recovered = true });

        Assert.Equal(["table written", "count", "count", "insert 4"], store.Calls);
        Assert.Equal(2, _released.Count);
        Assert.Equal((1L, 1L), (writer.Status.Inserts, writer.Status.AlreadyStored));
    }

    [Fact]
    public async Task A_segment_that_is_there_in_part_is_set_aside()
    {
        var store = new ScriptedStore();
        store.Rows[SegmentFile.Id(1)] = 2;
        await using StoreWriter writer = Start(store);
        SealedSegment segment = Segment(1, 3) with { Recovered = true };
        await SendAndStopAsync(writer, segment);

        Assert.DoesNotContain("insert 3", store.Calls);
        AssertQuarantined(segment);
    }

    [Fact]
    public async Task A_segment_that_is_there_in_part_is_completed_by_row_when_its_rows_are_numbered()
    {
        var store = new ScriptedStore();
        store.Rows[SegmentFile.Id(1)] = 2;
        await using StoreWriter writer = Start(store);
        SealedSegment segment = SegmentFile.Write(
            _directory, SegmentFile.PartitionedTable("written"), SegmentFile.Id(1), [3]);
        await SendAndStopAsync(writer, segment with { Recovered = true });

        Assert.Equal(["table written", "count", "insert missing"], store.Calls);
        Assert.Single(_released);
        Assert.Equal((1L, 0L), (writer.Status.Inserts, writer.Status.Quarantined));
    }

    [Fact]
    public async Task A_segment_with_bad_data_is_set_aside_and_the_next_goes_on()
    {
        var store = new ScriptedStore();
        store.Faults.Enqueue(new StoreException("cannot parse", StoreFault.BadData));
        await using StoreWriter writer = Start(store);
        SealedSegment bad = Segment(1, 3);
        byte[] bytes = await File.ReadAllBytesAsync(bad.Path);
        await SendAndStopAsync(writer, bad, Segment(2, 4));

        string kept = AssertQuarantined(bad);
        Assert.Equal(bytes, await File.ReadAllBytesAsync(kept));
        Assert.Equal(4, store.Rows[SegmentFile.Id(2)]);
        Assert.Equal(2, _released.Count);
        Assert.Equal((1L, 1L), (writer.Status.Quarantined, writer.Status.Inserts));
    }

    [Fact]
    public async Task A_table_that_waits_does_not_hold_up_another()
    {
        using var gate = new SemaphoreSlim(0);
        var store = new ScriptedStore { Gate = gate };
        await using StoreWriter writer = Start(store);
        SealedSegment other = SegmentFile.Write(_directory, SegmentFile.Table("other"), SegmentFile.Id(9), [7]);
        foreach (SealedSegment segment in new[] { Segment(1, 3), Segment(2, 4), other })
        {
            await _sealed.Writer.WriteAsync(segment);
        }

        await Eventually.BeAsync(() => store.Calls.Contains("insert 3") && store.Calls.Contains("insert 7"));
        Assert.DoesNotContain("insert 4", store.Calls);
        StoreWriterStatus waiting = writer.Status;
        Assert.Equal(3, waiting.WaitingSegments);
        Assert.True(waiting.WaitingBytes > 0);
        gate.Release(3);
        await Eventually.BeAsync(() => _released.Count == 3);
    }

    [Fact]
    public async Task A_segment_that_waits_is_prepared_unless_it_may_be_stored()
    {
        using var gate = new SemaphoreSlim(0);
        var store = new ScriptedStore { Gate = gate };
        store.Faults.Enqueue(new StoreException("away", StoreFault.Unavailable));
        await using StoreWriter writer = Start(store);
        SealedSegment[] segments = [Segment(1, 3), Segment(2, 4), Segment(3, 5) with { Recovered = true }];
        foreach (SealedSegment segment in segments)
        {
            await _sealed.Writer.WriteAsync(segment);
        }

        // The first is inserted once more when the others wait for sure.
        await Eventually.BeAsync(() => writer.Status.WaitingSegments == segments.Length);
        gate.Release(segments.Length + 1);
        await Eventually.BeAsync(() => _released.Count == segments.Length);
        Assert.Equal([segments[1]], store.Prepared.Distinct());
    }

    [Fact]
    public async Task A_prepared_segment_is_let_go_of_while_the_one_before_it_is_tried_again()
    {
        using var gate = new SemaphoreSlim(0);
        var store = new ScriptedStore { Gate = gate };
        await using StoreWriter writer = Start(store);
        SealedSegment[] segments = [Segment(1, 3), Segment(2, 4)];
        foreach (SealedSegment segment in segments)
        {
            await _sealed.Writer.WriteAsync(segment);
        }

        await Eventually.BeAsync(() => writer.Status.WaitingSegments == segments.Length);
        store.Faults.Enqueue(new StoreException("away", StoreFault.Unavailable));
        store.Faults.Enqueue(new FormatException("not a number"));
        gate.Release(segments.Length + 2);
        await Eventually.BeAsync(() => _released.Count == segments.Length);

        // In the first try it may not have waited yet; of the last one it was inserted.
        Assert.InRange(store.Unprepared.Count, 1, 2);
        Assert.Equal(store.Prepared.SkipLast(1), store.Unprepared);
    }

    [Fact]
    public async Task A_segment_of_another_version_of_the_table_is_not_prepared()
    {
        using var gate = new SemaphoreSlim(0);
        var store = new ScriptedStore { Gate = gate };
        store.Faults.Enqueue(new StoreException("away", StoreFault.Unavailable));
        await using StoreWriter writer = Start(store);
        SealedSegment later = Segment(2, 4) with { Table = SegmentFile.Table(s_table.Name) };
        SealedSegment[] segments = [Segment(1, 3), later];
        foreach (SealedSegment segment in segments)
        {
            await _sealed.Writer.WriteAsync(segment);
        }

        await Eventually.BeAsync(() => writer.Status.WaitingSegments == segments.Length);
        gate.Release(segments.Length + 1);
        await Eventually.BeAsync(() => _released.Count == segments.Length);
        Assert.Empty(store.Prepared);
    }

    [Fact]
    public async Task What_cannot_be_stored_in_time_stays_in_the_log()
    {
        using var gate = new SemaphoreSlim(0);
        var store = new ScriptedStore { Gate = gate };
        await using StoreWriter writer = Start(store);
        await _sealed.Writer.WriteAsync(Segment(1, 3));
        await Eventually.BeAsync(() => store.Calls.Contains("insert 3"));
        await writer.StopAsync(TimeSpan.FromMilliseconds(20)).WaitAsync(s_long);

        Assert.Empty(_released);
        Assert.Equal(1, writer.Status.WaitingSegments);
        Assert.True(File.Exists(Directory.GetFiles(_directory).Single()));
    }

    [Fact]
    public async Task The_null_store_takes_everything_and_answers_no_query()
    {
        await using var store = new NullStore();
        await using StoreWriter writer = Start(store);
        await SendAndStopAsync(writer, Segment(1, 3));
        Assert.Equal(3, writer.Status.Rows);
        StoreException fault = await store.FaultAsync("SELECT 1");
        Assert.Equal(StoreFault.BadQuery, fault.Fault);
    }

    private StoreWriter Start(IStore store)
    {
        var writer = new StoreWriter(
            store, _sealed.Reader, _released.Enqueue, Path.Combine(_directory, "quarantine"),
            new StoreOptions { RetryDelay = TimeSpan.FromMilliseconds(1) }, NullLogger.Instance, TimeProvider.System);
        writer.Start();
        return writer;
    }

    private async Task SendAndStopAsync(StoreWriter writer, params SealedSegment[] segments)
    {
        foreach (SealedSegment segment in segments)
        {
            await _sealed.Writer.WriteAsync(segment);
        }

        _sealed.Writer.Complete();
        await writer.StopAsync(s_long).WaitAsync(s_long);
    }

    private SealedSegment Segment(ulong bits, int rows) =>
        SegmentFile.Write(_directory, s_table, SegmentFile.Id(bits), [rows]);

    private string AssertQuarantined(SealedSegment segment)
    {
        Assert.False(File.Exists(segment.Path));
        Assert.Contains(segment, _released);
        Assert.Single(Directory.GetFiles(Path.Combine(_directory, "quarantine"), "*.reason"));
        return Assert.Single(Directory.GetFiles(Path.Combine(_directory, "quarantine"), "*.native"));
    }
}
