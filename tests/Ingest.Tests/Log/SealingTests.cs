using Ingest.Log;

namespace Ingest.Tests.Log;

public sealed class SealingTests : IDisposable
{
    private readonly LogDirectory _directory = new();
    private readonly ManualTime _time = new();
    private readonly CountingSink _sink = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task At_its_most_rows()
    {
        var log = await _directory.OpenAsync(_directory.Options with { SegmentRows = 100 });
        await AppendAsync(log, 0, 99);
        Assert.False(log.Sealed.TryPeek(out _));
        await AppendAsync(log, 99, 1);
        await AppendAsync(log, 100, 60);
        await AppendAsync(log, 160, 60);
        var segments = await LogDirectory.StopAsync(log);

        Assert.Equal([100, 60, 60], segments.Select(segment => segment.Rows));
        Assert.Equal(segments.Select(segment => segment.SegmentId).Order(), segments.Select(segment => segment.SegmentId));
    }

    [Fact]
    public async Task A_group_that_goes_over_the_end_is_split_between_segments()
    {
        using var go = new ManualResetEventSlim();
        var disk = new RecordingFiles();
        var log = await _directory.OpenAsync(
            _directory.Options with { SegmentRows = 100, BatchRows = 30, OpenBatches = 1 }, disk);
        disk.Before = call =>
        {
            if (call.Name == "flush")
            {
                go.Wait();
            }
        };
        for (var i = 0; i < 10; i++)
        {
            LogDirectory.Append(log.Lane(LogDirectory.Events), _sink, i * 30, 30);
        }

        go.Set();
        await _sink.CommittedAsync(300);
        var segments = await LogDirectory.StopAsync(log);
        Assert.All(segments, segment => Assert.InRange(segment.Rows, 30, 100));
        Assert.Equal(
            Enumerable.Range(0, 300).Select(i => (long)i),
            segments.SelectMany(segment => LogDirectory.ReadIds(segment.Path)));
    }

    [Fact]
    public async Task At_its_most_bytes()
    {
        var log = await _directory.OpenAsync(_directory.Options with { SegmentBytes = 10_000 });
        for (var i = 0; i < 10; i++)
        {
            await AppendAsync(log, i, 1, padding: 4000);
        }

        var segments = await LogDirectory.StopAsync(log);
        Assert.Equal([2, 2, 2, 2, 2], segments.Select(segment => segment.Rows));
        Assert.All(segments, segment => Assert.InRange(segment.Length, 1, 10_000));
    }

    [Fact]
    public async Task At_its_age()
    {
        var log = await _directory.OpenAsync(
            new LogOptions { DataDirectory = _directory.DataPath, SegmentAge = TimeSpan.FromSeconds(1) }, time: _time);
        await AppendAsync(log, 0, 1);
        _time.Advance(TimeSpan.FromMilliseconds(990));
        await AppendAsync(log, 1, 1);
        Assert.Equal(1, log.Metrics.OpenSegments);
        Assert.False(log.Sealed.TryPeek(out _));

        _time.Advance(TimeSpan.FromMilliseconds(10));
        var segment = await log.Sealed.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(2, segment.Rows);
        Assert.Equal(0, log.Metrics.OpenSegments);
        _time.Advance(TimeSpan.FromHours(1));
        await log.SealAsync();
        Assert.False(log.Sealed.TryPeek(out _));
        await log.DisposeAsync();
    }

    [Fact]
    public async Task At_its_age_although_the_timer_fires_a_little_early()
    {
        var log = await _directory.OpenAsync(
            new LogOptions { DataDirectory = _directory.DataPath, SegmentAge = TimeSpan.FromSeconds(1) }, time: _time);
        LogDirectory.Append(log.Lane(LogDirectory.Events), _sink, 0, 1); // The first rows do not linger.
        await _sink.CommittedAsync(1);
        _time.Advance(TimeSpan.FromMilliseconds(999));
        _time.FireEarly();
        await Eventually.BeAsync(() => _time.HasTimerSet);

        _time.Advance(TimeSpan.FromMilliseconds(1));
        var segment = await log.Sealed.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(1, segment.Rows);
        await log.DisposeAsync();
    }

    [Theory]
    [InlineData(1, 1.0)]
    [InlineData(2, 1.0)]
    [InlineData(4, 2.0)]
    [InlineData(12, 6.0)]
    [InlineData(500, 10.0)]
    public async Task Later_when_many_tables_are_active(int tables, double seconds)
    {
        var log = await _directory.OpenAsync(new LogOptions { DataDirectory = _directory.DataPath });
        Assert.Equal(TimeSpan.FromSeconds(seconds), log.AgeFor(tables));
        await log.DisposeAsync();
    }

    [Fact]
    public async Task On_demand_with_what_is_in_open_batches()
    {
        var log = await _directory.OpenAsync(time: _time);
        await AppendAsync(log, 0, 1);
        LogDirectory.Append(log.Lane(LogDirectory.Events), _sink, 1, 1); // Time stands still: it would linger for ever.
        await log.SealAsync();
        Assert.True(log.Sealed.TryRead(out var segment));
        Assert.Equal(2, segment.Rows);
        Assert.Equal(2, _sink.CommittedRows);
        await log.DisposeAsync();
    }

    [Theory]
    [InlineData("")]
    [InlineData("p")]
    public async Task Rejected_rows_alone_are_no_segment_but_a_producers_offsets_stay(string producer)
    {
        for (var run = 0; run < 2; run++)
        {
            var log = await _directory.OpenAsync();
            LogDirectory.Append(log.Lane(LogDirectory.Events), _sink, run * 3, 0, producer, rejected: 3);
            await Eventually.BeAsync(() => _sink.Committed.Count == run + 1);
            await log.SealAsync();
            Assert.Equal(1, log.Metrics.OpenSegments);
            Assert.Empty(await LogDirectory.StopAsync(log));
        }

        Assert.Equal(producer.Length == 0, Directory.GetFiles(_directory.TablePath).Length == 0);
        var again = await _directory.OpenAsync();
        Assert.Equal(producer.Length > 0, again.Lane(LogDirectory.Events).Producers.TryGet("p", out var progress));
        Assert.Equal(producer.Length > 0 ? 6 : null, progress?.Offsets.End);
        await again.DisposeAsync();
    }

    [Fact]
    public async Task Rows_that_come_long_after_rejected_ones_get_a_segment_of_their_own_time()
    {
        var log = await _directory.OpenAsync(
            new LogOptions { DataDirectory = _directory.DataPath, SegmentAge = TimeSpan.FromSeconds(1) }, time: _time);
        var lane = log.Lane(LogDirectory.Events);
        LogDirectory.Append(lane, _sink, 0, 0, "p", rejected: 3);
        await EventuallyCommittedAsync(1);
        _time.Advance(TimeSpan.FromDays(40));
        LogDirectory.Append(lane, _sink, 3, 2, "p");
        await EventuallyCommittedAsync(2);
        await log.SealAsync();

        Assert.True(log.Sealed.TryRead(out var segment));
        var age = _time.GetUtcNow().ToUnixTimeSeconds() - SegmentIds.UnixSecondsOf(segment.SegmentId);
        Assert.InRange(age, 0, 1);
        Assert.Single(Directory.GetFiles(_directory.TablePath, "*.index"));
        await LogDirectory.StopAsync(log);

        File.Delete(_directory.Single(".index"));
        File.Delete(_directory.Single(".native"));
        log = await _directory.OpenAsync(time: _time);
        Assert.True(log.Lane(LogDirectory.Events).Producers.TryGet("p", out var producer));
        Assert.Equal(5, producer.Offsets.End);
        await log.DisposeAsync();

        Task EventuallyCommittedAsync(int entries) => Eventually.BeAsync(() =>
        {
            _time.Advance(TimeSpan.FromMilliseconds(1));
            return _sink.Committed.Count == entries;
        });
    }

    [Fact]
    public async Task Rows_that_linger_are_written_when_their_time_is_over_and_the_first_ones_at_once()
    {
        var log = await _directory.OpenAsync(time: _time);
        await AppendAsync(log, 0, 1);
        LogDirectory.Append(log.Lane(LogDirectory.Events), _sink, 1, 1);
        LogDirectory.Append(log.Lane(LogDirectory.Events), _sink, 2, 1);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        LogDirectory.Append(log.Lane(LogDirectory.Events), _sink, 3, 1);
        Assert.Equal(1, _sink.CommittedRows);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        await _sink.CommittedAsync(4);
        Assert.Equal(2, log.Metrics.Groups);
        Assert.Equal(2, log.Metrics.Blocks);
        await log.DisposeAsync();
    }

    [Fact]
    public async Task Ids_rise_although_the_clock_steps_back_and_over_restarts()
    {
        var ids = new List<ulong>();
        for (var run = 0; run < 3; run++)
        {
            var log = await _directory.OpenAsync(time: _time);
            for (var i = 0; i < 3; i++)
            {
                await AppendAsync(log, i, 1);
                await log.SealAsync();
                Assert.True(log.Sealed.TryRead(out var segment));
                ids.Add(segment.SegmentId);
                log.Release(segment);
                _time.SetBack(TimeSpan.FromMinutes(10));
            }

            Assert.Empty(Directory.GetFiles(_directory.TablePath));
            Assert.Equal((0, 0L), (log.Metrics.UnreleasedSegments, log.Metrics.UnreleasedBytes));
            await LogDirectory.StopAsync(log);
        }

        Assert.Equal(ids.Distinct().Order(), ids);
        Assert.Equal(new DateTimeOffset(2026, 5, 1, 12, 0, 0, TimeSpan.Zero), DateTimeOffset.FromUnixTimeMilliseconds((long)(ids[^1] >> 22)));
    }

    private async Task AppendAsync(SegmentLog log, long first, int count, int padding = 0)
    {
        var before = _sink.CommittedRows;
        LogDirectory.Append(log.Lane(LogDirectory.Events), _sink, first, count, padding: padding);
        await Eventually.BeAsync(() =>
        {
            _time.Advance(TimeSpan.FromTicks(log.Time == _time ? TimeSpan.TicksPerMillisecond / 4 : 0));
            return _sink.CommittedRows == before + count;
        });
    }
}
