using Ingest.Log;

namespace Ingest.Tests.Log;

public sealed class FailureTests : IDisposable
{
    private readonly LogDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("write", ".native", 0)]
    [InlineData("write", ".index", 0)]
    [InlineData("flush", ".native", 0)]
    [InlineData("flush", ".index", 0)]
    [InlineData("write", ".native", 1)]
    [InlineData("write", ".index", 1)]
    [InlineData("flush", ".native", 1)]
    [InlineData("flush", ".index", 1)]
    [InlineData("create", ".native", 0)]
    [InlineData("create", ".index", 0)]
    [InlineData("flush directory", "", 0)]
    public async Task A_failed_call_fails_its_group_alone(string call, string extension, int groupsBefore)
    {
        var disk = new RecordingFiles();
        var log = await _directory.OpenAsync(disk: disk);
        var lane = log.Lane(LogDirectory.Events);
        var good = new CountingSink();
        var bad = new CountingSink();
        for (var i = 0; i < groupsBefore; i++)
        {
            LogDirectory.Append(lane, good, i, 1);
            await good.CommittedAsync(i + 1);
        }

        FailOnce(disk, call, extension);
        LogDirectory.Append(lane, bad, 100, 3);
        await bad.FailedAsync(3);
        LogDirectory.Append(lane, good, 50, 2);
        await good.CommittedAsync(groupsBefore + 2);

        Assert.Empty(bad.Committed);
        Assert.Equal(1, log.Metrics.FailedGroups);
        var segments = await LogDirectory.StopAsync(log);
        long[] expected = [.. Enumerable.Range(0, groupsBefore), 50, 51];
        Assert.Equal(expected, segments.SelectMany(Ids));
        var (report, recovered) = await _directory.RecoverAsync();
        Assert.Equal(expected, recovered.SelectMany(Ids));
        Assert.Equal(0, report.Quarantined);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task Failed_rows_do_not_come_back_even_when_they_cannot_be_cut_off(int groupsBefore)
    {
        var disk = new RecordingFiles();
        var log = await _directory.OpenAsync(disk: disk);
        var lane = log.Lane(LogDirectory.Events);
        var good = new CountingSink();
        var bad = new CountingSink();
        for (var i = 0; i < groupsBefore; i++)
        {
            LogDirectory.Append(lane, good, i, 1);
            await good.CommittedAsync(i + 1);
        }

        disk.Before = call =>
        {
            if (call.Name is "truncate" || call is { Name: "flush", Extension: ".index" })
            {
                throw new IOException("no");
            }
        };
        LogDirectory.Append(lane, bad, 100, 3);
        await bad.FailedAsync(3);
        disk.Before = null;
        LogDirectory.Append(lane, good, 50, 2);
        await good.CommittedAsync(groupsBefore + 2);
        await LogDirectory.StopAsync(log);

        var (_, recovered) = await _directory.RecoverAsync();
        Assert.Equal([.. Enumerable.Range(0, groupsBefore), 50L, 51L], recovered.SelectMany(Ids));
    }

    [Fact]
    public async Task A_segment_that_failed_is_never_written_or_flushed_again()
    {
        var disk = new RecordingFiles();
        var log = await _directory.OpenAsync(disk: disk);
        var lane = log.Lane(LogDirectory.Events);
        var good = new CountingSink();
        var bad = new CountingSink();
        LogDirectory.Append(lane, good, 0, 1);
        await good.CommittedAsync(1);
        var first = _directory.Single(".native");
        FailOnce(disk, "flush", ".native");
        LogDirectory.Append(lane, bad, 1, 1);
        await bad.FailedAsync(1);
        var calls = disk.Calls.Count;
        LogDirectory.Append(lane, good, 2, 1);
        await good.CommittedAsync(2);
        await LogDirectory.StopAsync(log);

        Assert.DoesNotContain(disk.Calls.Skip(calls), call => call.Path == first && call.Name is "write" or "flush" && call.Path == first);
    }

    [Fact]
    public async Task While_the_end_of_a_failed_segment_is_not_durable_nothing_is_acknowledged()
    {
        var disk = new RecordingFiles();
        var log = await _directory.OpenAsync(disk: disk);
        var lane = log.Lane(LogDirectory.Events);
        var good = new CountingSink();
        var bad = new CountingSink();
        LogDirectory.Append(lane, good, 0, 1);
        await good.CommittedAsync(1);
        disk.Before = call =>
        {
            if (call.Name == "flush")
            {
                throw new IOException("no");
            }
        };
        for (var i = 1; i <= 3; i++)
        {
            LogDirectory.Append(lane, bad, i, 1);
            await bad.FailedAsync(i);
        }

        Assert.Single(Directory.GetFiles(_directory.TablePath, "*.native"));
        disk.Before = null;
        LogDirectory.Append(lane, good, 9, 1);
        await good.CommittedAsync(2);
        await LogDirectory.StopAsync(log);
        var (_, recovered) = await _directory.RecoverAsync();
        Assert.Equal([0L, 9L], recovered.SelectMany(Ids));
    }

    [Fact]
    public async Task What_was_acknowledged_before_a_failure_goes_to_the_store_at_once()
    {
        var disk = new RecordingFiles();
        var log = await _directory.OpenAsync(disk: disk);
        var lane = log.Lane(LogDirectory.Events);
        var sink = new CountingSink();
        LogDirectory.Append(lane, sink, 0, 4);
        await sink.CommittedAsync(4);
        FailOnce(disk, "write", ".native");
        LogDirectory.Append(lane, sink, 4, 1);
        await sink.FailedAsync(1);

        var segment = await log.Sealed.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal([0L, 1L, 2L, 3L], Ids(segment));
        Assert.Equal(0, log.Metrics.OpenSegments);
        await log.DisposeAsync();
    }

    [Fact]
    public async Task A_failed_segment_goes_to_the_store_once_its_end_is_durable_and_not_before()
    {
        var disk = new RecordingFiles();
        var log = await _directory.OpenAsync(disk: disk);
        var lane = log.Lane(LogDirectory.Events);
        var sink = new CountingSink();
        var session = sink.SessionOf(lane, "p");
        LogDirectory.Append(lane, sink, 0, 4, "p");
        await sink.CommittedAsync(4);
        disk.Before = call =>
        {
            if (call.Name is "truncate" or "flush" || call.Path.Contains(".end", StringComparison.Ordinal))
            {
                throw new IOException("no");
            }
        };
        LogDirectory.Append(lane, sink, 4, 1, "p");
        await sink.FailedAsync(1);
        await log.SealAsync();
        Assert.False(log.Sealed.TryPeek(out _));
        Assert.Empty(Directory.GetFiles(_directory.TablePath, "*.end"));

        disk.Before = null;
        await log.SealAsync();
        Assert.True(log.Sealed.TryRead(out var segment));
        Assert.Equal([0L, 1L, 2L, 3L], Ids(segment));
        Assert.Single(Directory.GetFiles(_directory.TablePath, "*.end"));
        Assert.Equal(0, session.Stored);
        log.Release(segment);
        await Eventually.BeAsync(() => session.Stored == 4);
        await log.DisposeAsync();
    }

    [Fact]
    public async Task A_sender_that_throws_harms_no_other()
    {
        var log = await _directory.OpenAsync(_directory.Options with { OpenBatches = 1 });
        var lane = log.Lane(LogDirectory.Events);
        var thrower = new CountingSink { OnCommit = _ => throw new InvalidOperationException("a bug") };
        var sink = new CountingSink();
        LogDirectory.Append(lane, thrower, 0, 1);
        LogDirectory.Append(lane, sink, 1, 1);
        await sink.CommittedAsync(1);
        Assert.Equal(2, Assert.Single(await LogDirectory.StopAsync(log)).Rows);
    }

    private static IEnumerable<long> Ids(SealedSegment segment) =>
        NativeEvents.ReadIds(File.ReadAllBytes(segment.Path).AsSpan(0, (int)segment.Length));

    private static void FailOnce(RecordingFiles disk, string name, string extension)
    {
        var failed = 0;
        disk.Before = call =>
        {
            if (call.Name == name && call.Extension == extension && Interlocked.Exchange(ref failed, 1) == 0)
            {
                throw new IOException("Input/output error");
            }
        };
    }
}
