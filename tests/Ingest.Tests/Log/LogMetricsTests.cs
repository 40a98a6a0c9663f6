using Ingest.Columns;
using Ingest.Log;
using Ingest.Schema;
using Ingest.V1;

namespace Ingest.Tests.Log;

public sealed class LogMetricsTests : IDisposable
{
    private readonly LogDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Acknowledgement_is_timed_from_a_batchs_first_row_and_raised_after_its_senders_know(bool enabled)
    {
        var log = await _directory.OpenAsync(_directory.Options with { Enabled = enabled });
        var sink = new CountingSink();
        var raised = new List<(string Table, TimeSpan Latency, long KnownRows)>();
        log.Metrics.Acknowledged += (table, latency) =>
        {
            lock (raised)
            {
                raised.Add((table, latency, sink.CommittedRows));
            }
        };

        LogDirectory.Append(log.Lane(LogDirectory.Events), sink, 0, 3);
        await Eventually.BeAsync(() => raised.Count == 1);
        await log.DisposeAsync();

        var (table, latency, knownRows) = Assert.Single(raised);
        Assert.Equal(("events", 3), (table, knownRows));
        Assert.InRange(latency, TimeSpan.FromTicks(1), TimeSpan.FromSeconds(20));
    }

    [Fact]
    public async Task A_segment_is_counted_at_every_moment_from_its_opening_until_the_store_has_it()
    {
        var disk = new RecordingFiles();
        var log = await _directory.OpenAsync(disk: disk);
        var sink = new CountingSink();
        long fewest = long.MaxValue, fewestBytes = long.MaxValue;
        LogDirectory.Append(log.Lane(LogDirectory.Events), sink, 0, 10, producer: "van");
        await sink.CommittedAsync(10);
        disk.Before = _ =>
        {
            fewest = Math.Min(fewest, log.Metrics.OpenSegments + log.Metrics.UnreleasedSegments);
            fewestBytes = Math.Min(fewestBytes, log.Metrics.OpenBytes + log.Metrics.UnreleasedBytes);
        };
        await log.SealAsync();
        disk.Before = null;

        // What it says of producers is written while it is neither open nor published.
        Assert.Equal(1, fewest);
        Assert.InRange(fewestBytes, 1, long.MaxValue - 1);
        Assert.Equal((0, 1), (log.Metrics.OpenSegments, log.Metrics.UnreleasedSegments));
        await log.DisposeAsync();
    }

    [Fact]
    public async Task A_table_that_the_disk_takes_does_not_hide_one_that_it_refuses()
    {
        var disk = new RecordingFiles();
        var orders = TableSchema.FromDescriptor(Order.Descriptor);
        var log = await _directory.OpenAsync(disk: disk, tables: [LogDirectory.Events, orders]);
        disk.Before = call =>
        {
            if (call.Name == "flush" && call.Path.StartsWith(_directory.TablePath, StringComparison.Ordinal))
            {
                throw new IOException("no");
            }
        };
        var sink = new CountingSink();
        LogDirectory.Append(log.Lane(LogDirectory.Events), sink, 0, 1);
        await sink.FailedAsync(1);
        var lane = log.Lane(orders);
        var batch = lane.Rent();
        batch.AddEntry(new BatchEntry(sink, "", 0, 0, 1, 0, 0));
        lane.Return(batch);
        await Eventually.BeAsync(() => sink.Committed.Count == 1);
        Assert.True(log.Metrics.Failing);

        disk.Before = null;
        LogDirectory.Append(log.Lane(LogDirectory.Events), sink, 1, 1);
        await sink.CommittedAsync(1);
        Assert.False(log.Metrics.Failing);
        await log.DisposeAsync();
    }

    [Fact]
    public async Task Log_is_failing_from_a_group_that_the_disk_refuses_to_one_that_it_takes()
    {
        var disk = new RecordingFiles();
        var log = await _directory.OpenAsync(disk: disk);
        var acknowledged = 0;
        log.Metrics.Acknowledged += (_, _) => acknowledged++;
        var lane = log.Lane(LogDirectory.Events);
        var sink = new CountingSink();
        Assert.False(log.Metrics.Failing);

        disk.Before = call =>
        {
            if (call.Name == "flush")
            {
                throw new IOException("no");
            }
        };
        LogDirectory.Append(lane, sink, 0, 1);
        await sink.FailedAsync(1);
        Assert.True(log.Metrics.Failing);

        disk.Before = null;
        LogDirectory.Append(lane, sink, 1, 1);
        await sink.CommittedAsync(1);
        Assert.False(log.Metrics.Failing);
        await log.DisposeAsync();
        Assert.Equal(1, acknowledged);
    }
}
