using Ingest.Log;

namespace Ingest.Tests.Log;

/// <summary>The clock on the wall is set, back and forth, while the log runs and between its runs.</summary>
public sealed class ClockTests : IDisposable
{
    private static readonly TimeSpan s_hour = TimeSpan.FromHours(1);
    private static readonly TimeSpan s_month = TimeSpan.FromDays(30);

    private readonly LogDirectory _directory = new();
    private readonly ManualTime _time = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(-24)]
    [InlineData(-24 * 365)]
    public async Task Rows_are_acknowledged_and_segments_sealed_by_age_whatever_the_clock_says(int hoursBack)
    {
        var log = await _directory.OpenAsync(
            _directory.Options with { SegmentAge = TimeSpan.FromSeconds(1), Linger = TimeSpan.Zero }, time: _time);
        var lane = log.Lane(LogDirectory.Events);
        var sink = new CountingSink();
        ulong last = 0;
        for (var i = 0; i < 4; i++)
        {
            LogDirectory.Append(lane, sink, i, 1, "p");
            await sink.CommittedAsync(i + 1);
            _time.SetBack((i % 2 == 0 ? 1 : -1) * TimeSpan.FromHours(hoursBack));
            SealedSegment? segment = null;
            await Eventually.BeAsync(() =>
            {
                _time.Advance(TimeSpan.FromMilliseconds(100));
                return log.Sealed.TryRead(out segment);
            });
            Assert.True(segment!.SegmentId > last, "ids rise");
            last = segment.SegmentId;
            log.Release(segment);
        }

        await log.DisposeAsync();
    }

    [Fact]
    public async Task A_clock_that_jumps_ahead_while_the_server_runs_makes_no_producer_expire()
    {
        var log = await _directory.OpenAsync(time: _time);
        await AppendAndLeaveAsync(log, "p");
        _time.SetBack(-s_month);
        Assert.Equal((5L, true), await ReopenAsync(log, "p"));
        _time.SetBack(s_month);
        Assert.Equal((5L, true), await ReopenAsync(log, "p"));
        await log.DisposeAsync();

        log = await _directory.OpenAsync(time: _time);
        Assert.Equal((5L, true), await ReopenAsync(log, "p"));
        await log.DisposeAsync();
    }

    [Fact]
    public async Task A_producer_seen_under_a_clock_that_was_too_early_does_not_expire_when_it_is_set_right()
    {
        var log = await _directory.OpenAsync(time: _time);
        await AppendAndLeaveAsync(log, "before");
        await log.DisposeAsync();

        _time.SetBack(s_month);
        log = await _directory.OpenAsync(time: _time);
        await AppendAndLeaveAsync(log, "early");
        await log.DisposeAsync();

        _time.SetBack(-s_month);
        log = await _directory.OpenAsync(time: _time);
        Assert.Equal((5L, true), await ReopenAsync(log, "early"));
        Assert.Equal((5L, true), await ReopenAsync(log, "before"));
        await log.DisposeAsync();
    }

    [Fact]
    public async Task An_idle_producer_expires_by_the_time_that_passed_although_the_clock_was_set_back()
    {
        var log = await _directory.OpenAsync(time: _time);
        await AppendAndLeaveAsync(log, "p");
        _time.SetBack(s_hour);
        _time.Advance(TimeSpan.FromDays(8));
        await log.SealAsync();
        Assert.Equal((0L, false), await ReopenAsync(log, "p"));
        await log.DisposeAsync();
    }

    private static async Task AppendAndLeaveAsync(SegmentLog log, string producer)
    {
        var lane = log.Lane(LogDirectory.Events);
        var session = new TestSession(producer, 1);
        await lane.OpenProducerAsync(session);
        LogDirectory.Append(lane, session, 0, 5);
        await log.SealAsync();
        Assert.Equal(5, session.Durable);
        lane.CloseProducer(session);
    }

    private static async Task<(long Durable, bool IsKnown)> ReopenAsync(SegmentLog log, string producer)
    {
        var lane = log.Lane(LogDirectory.Events);
        var session = new TestSession(producer, 1);
        var opening = await lane.OpenProducerAsync(session);
        Assert.Equal(ProducerOpenResult.Opened, opening.Result);
        lane.CloseProducer(session);
        return (opening.DurableOffset, opening.IsKnown);
    }
}
