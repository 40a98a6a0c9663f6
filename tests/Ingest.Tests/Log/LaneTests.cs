using Ingest.Log;

namespace Ingest.Tests.Log;

public sealed class LaneTests : IDisposable
{
    private readonly LogDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task What_is_appended_is_in_the_sealed_segment_in_order()
    {
        var log = await _directory.OpenAsync();
        var lane = log.Lane(LogDirectory.Events);
        var sink = new CountingSink();
        for (var i = 0; i < 1000; i++)
        {
            LogDirectory.Append(lane, sink, i * 10, 10);
        }

        await sink.CommittedAsync(10_000);
        var segment = Assert.Single(await LogDirectory.StopAsync(log));

        Assert.Equal(10_000, segment.Rows);
        Assert.Equal(new FileInfo(segment.Path).Length, segment.Length);
        Assert.Equal(Enumerable.Range(0, 10_000).Select(i => (long)i), LogDirectory.ReadIds(segment.Path));
        Assert.False(segment.Recovered);
        Assert.Matches(@"^[0-9a-f-]{36}/events/\d+/[0-9a-f]{32}$", segment.Token);
    }

    [Fact]
    public async Task Acknowledges_only_after_both_files_and_their_names_are_flushed()
    {
        var disk = new RecordingFiles();
        var log = await _directory.OpenAsync(disk: disk);
        var sink = new CountingSink();
        var before = disk.Calls.Count;
        string[] seen = [];
        sink.OnCommit = _ => seen = [.. disk.Calls.Skip(before).Select(call => call.ToString())];

        LogDirectory.Append(log.Lane(LogDirectory.Events), sink, 0, 5);
        await sink.CommittedAsync(5);

        Assert.Equal(["create .index", "create .native", "write .native", "write .index"], seen[..4]);
        Assert.Equal(["flush .index", "flush .native", "flush directory "], seen[4..].Order());
        await log.DisposeAsync();
    }

    [Theory]
    [InlineData(".native")]
    [InlineData(".index")]
    public async Task Nobody_is_told_while_a_flush_is_under_way_and_the_next_group_fills(string slow)
    {
        using var flushing = new SemaphoreSlim(0);
        using var go = new ManualResetEventSlim();
        var disk = new RecordingFiles();
        var log = await _directory.OpenAsync(disk: disk);
        disk.Before = call =>
        {
            if (call.Name == "flush" && call.Extension == slow)
            {
                flushing.Release();
                go.Wait();
            }
        };
        var lane = log.Lane(LogDirectory.Events);
        var sink = new CountingSink();
        LogDirectory.Append(lane, sink, 0, 1);
        await flushing.WaitAsync();
        for (var i = 1; i < 100; i++)
        {
            LogDirectory.Append(lane, sink, i, 1);
        }

        Assert.Empty(sink.Committed);
        go.Set();
        await sink.CommittedAsync(100);

        Assert.Equal(2, log.Metrics.Blocks);
        Assert.Equal(2, log.Metrics.Groups);
        await log.DisposeAsync();
    }

    [Fact]
    public async Task Sinks_are_told_in_the_order_of_the_rows()
    {
        var log = await _directory.OpenAsync(_directory.Options with { OpenBatches = 1, BatchRows = 64 });
        var lane = log.Lane(LogDirectory.Events);
        var told = new List<long>();
        var sinks = Enumerable.Range(0, 8)
            .Select(_ => new CountingSink { OnCommit = entry => told.Add(entry.FirstOffset) }).ToArray();
        for (var i = 0; i < 5000; i++)
        {
            LogDirectory.Append(lane, sinks[i % 8], i, 1);
        }

        await Eventually.BeAsync(() => sinks.Sum(sink => sink.CommittedRows) == 5000);
        var segment = Assert.Single(await LogDirectory.StopAsync(log));

        // The order is that of the file. Batches that are closed while the lane sweeps the open ones may come behind them.
        Assert.Equal(told, LogDirectory.ReadIds(segment.Path));
        Assert.Equal(Enumerable.Range(0, 5000).Select(i => (long)i), told.Order());
    }

    [Fact]
    public async Task Many_streams_at_once_lose_nothing()
    {
        const int Streams = 8, Messages = 5000;
        var log = await _directory.OpenAsync();
        var lane = log.Lane(LogDirectory.Events);
        var sink = new CountingSink();
        var streams = Enumerable.Range(0, Streams).Select(stream => Task.Factory.StartNew(
            () =>
            {
                for (var i = 0; i < Messages; i++)
                {
                    LogDirectory.Append(lane, sink, (stream * Messages) + i, 1);
                }
            },
            TaskCreationOptions.LongRunning));
        await Task.WhenAll(streams);
        await sink.CommittedAsync(Streams * Messages);
        var segments = await LogDirectory.StopAsync(log);

        var ids = segments.SelectMany(segment => LogDirectory.ReadIds(segment.Path)).Order();
        Assert.Equal(Enumerable.Range(0, Streams * Messages).Select(i => (long)i), ids);
        Assert.Equal(0, log.Metrics.QueuedBytes);
    }

    [Fact]
    public async Task A_batch_that_a_stream_holds_is_written_when_it_comes_back()
    {
        var log = await _directory.OpenAsync();
        var lane = log.Lane(LogDirectory.Events);
        var sink = new CountingSink();
        var other = new CountingSink();
        var held = lane.Rent();
        LogDirectory.Fill(held, sink, 0, 1);
        LogDirectory.Append(lane, other, 1, 1);
        await other.CommittedAsync(1);
        Assert.Empty(sink.Committed);

        lane.Return(held);
        await sink.CommittedAsync(1);
        await log.DisposeAsync();
    }

    [Fact]
    public async Task A_stream_that_holds_a_batch_does_not_make_the_others_blocks_small()
    {
        using var flushing = new SemaphoreSlim(0);
        using var go = new SemaphoreSlim(0);
        var disk = new RecordingFiles();
        var log = await _directory.OpenAsync(disk: disk);
        disk.Before = call =>
        {
            if (call is { Name: "flush", Extension: ".native" })
            {
                flushing.Release();
                go.Wait();
            }
        };
        var lane = log.Lane(LogDirectory.Events);
        var sink = new CountingSink();

        // The held batch was counted as open, taken by this stream again, and is missed when the writer looks.
        LogDirectory.Append(lane, sink, 0, 1);
        await flushing.WaitAsync();
        LogDirectory.Append(lane, sink, 1, 1);
        var held = lane.Rent();
        LogDirectory.Append(lane, sink, 2, 1);
        go.Release();
        await sink.CommittedAsync(1);
        await flushing.WaitAsync();
        for (var i = 3; i < 1000; i++)
        {
            LogDirectory.Append(lane, sink, i, 1);
        }

        go.Release(1000);
        lane.Return(held);
        await sink.CommittedAsync(1000);
        Assert.InRange(log.Metrics.Blocks, 3, 5);
        await log.DisposeAsync();
    }

    [Fact]
    public async Task A_message_whose_rows_were_all_rejected_is_told_and_remembered_without_a_block()
    {
        var log = await _directory.OpenAsync();
        var lane = log.Lane(LogDirectory.Events);
        var sink = new CountingSink();
        LogDirectory.Append(lane, sink, 0, 0, "p", rejected: 7);
        await Eventually.BeAsync(() => sink.Committed.Count == 1);
        LogDirectory.Append(lane, sink, 7, 1, "p");
        await sink.CommittedAsync(1);
        var segment = Assert.Single(await LogDirectory.StopAsync(log));
        Assert.Equal([7L], LogDirectory.ReadIds(segment.Path));

        var again = await _directory.OpenAsync();
        Assert.True(again.Lane(LogDirectory.Events).Producers.TryGet("p", out var producer));
        Assert.Equal(8, producer.Offsets.End);
        await again.DisposeAsync();
    }

    [Fact]
    public async Task What_a_burst_needed_is_kept_for_the_next_and_let_go_when_it_is_quiet()
    {
        var time = new ManualTime();
        await using SegmentLog log = await _directory.OpenAsync(time: time);
        Lane lane = log.Lane(LogDirectory.Events);
        var sink = new CountingSink();
        LogDirectory.Append(lane, sink, 0, 1000);
        await sink.CommittedAsync(1000);
        await lane.SealAsync();
        Assert.True(lane.PooledBytes > 0, "a seal lets nothing go");
        for (int i = 0; lane.PooledBytes > 0; i++)
        {
            Assert.True(i < 1000, "nothing was let go");
            time.Advance(TimeSpan.FromSeconds(31));
            await Task.Delay(5);
        }
    }

    [Fact]
    public async Task Senders_wait_while_the_disk_is_behind()
    {
        using var go = new ManualResetEventSlim();
        var disk = new RecordingFiles();
        var log = await _directory.OpenAsync(
            _directory.Options with { QueueBytes = 4096, BatchRows = 16, OpenBatches = 1 }, disk);
        disk.Before = call =>
        {
            if (call.Name == "flush")
            {
                go.Wait();
            }
        };
        var lane = log.Lane(LogDirectory.Events);
        var sink = new CountingSink();
        var rows = 0;
        while (lane.WaitForRoomAsync().AsTask().IsCompleted)
        {
            Assert.True(rows < 10_000, "no bound");
            LogDirectory.Append(lane, sink, rows++, 1);
        }

        var waiting = lane.WaitForRoomAsync().AsTask();
        using var left = new CancellationTokenSource();
        var gone = lane.WaitForRoomAsync(left.Token).AsTask();
        await left.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => gone);
        Assert.False(waiting.IsCompleted);
        Assert.InRange(log.Metrics.QueuedBytes, 4096, 16_384);
        go.Set();
        await waiting;
        await sink.CommittedAsync(rows);
        await log.DisposeAsync();
    }

    [Fact]
    public async Task After_the_stop_senders_are_told_that_their_rows_are_not_durable()
    {
        var log = await _directory.OpenAsync();
        var lane = log.Lane(LogDirectory.Events);
        var sink = new CountingSink();
        await log.StopAsync();
        LogDirectory.Append(lane, sink, 0, 3);

        Assert.Equal(3, sink.FailedRows);
        Assert.IsType<ObjectDisposedException>(sink.Failed[0].Cause);
        await lane.SealAsync();
        await lane.WaitForRoomAsync();
        await log.DisposeAsync();
    }

    [Fact]
    public async Task Without_a_log_rows_are_acknowledged_and_nothing_is_written()
    {
        var log = await _directory.OpenAsync(_directory.Options with { Enabled = false });
        var sink = new CountingSink();
        LogDirectory.Append(log.Lane(LogDirectory.Events), sink, 0, 100);
        await sink.CommittedAsync(100);

        Assert.Empty(await LogDirectory.StopAsync(log));
        Assert.Empty(Directory.GetFiles(_directory.TablePath));
    }
}
