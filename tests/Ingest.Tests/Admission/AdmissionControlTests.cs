using Ingest.Admission;
using Ingest.Log;
using Ingest.Tests.Log;
using Ingest.V1;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ingest.Tests.Admission;

public sealed class AdmissionControlTests : IDisposable
{
    private const long Limit = 1L << 30;

    private readonly LogDirectory _directory = new();
    private readonly ManualTime _time = new();
    private long _memory;

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Memory_slows_then_refuses_then_recovers()
    {
        await using SegmentLog log = await _directory.OpenAsync();
        using AdmissionControl admission = Control(log);
        int told = 0;
        admission.Watch(() => told++);

        Assert.Equal((Pressure.Normal, false), See(admission, 0));
        Assert.Equal((Pressure.Soft, false), See(admission, Limit / 10 * 9));
        Assert.Equal((Pressure.Hard, true), See(admission, Limit));
        Assert.Equal(RefusalReason.Memory, admission.Refusal);
        Assert.Equal((Pressure.Soft, false), See(admission, Limit / 10 * 8));
        Assert.Equal(RefusalReason.Unspecified, admission.Refusal);
        Assert.Equal((Pressure.Normal, false), See(admission, Limit / 2));
        Assert.Equal(4, told);
    }

    [Fact]
    public async Task Buffers_count_against_a_limit_of_their_own()
    {
        await using SegmentLog log = await _directory.OpenAsync();
        using AdmissionControl admission = Control(log);
        long held = 0;
        admission.AddBuffers(() => held);
        held = admission.MaxBufferedBytes;
        Assert.Equal((Pressure.Hard, true), See(admission, 0));
        Assert.Equal((Pressure.Normal, Pressure.Hard), (admission.Memory.State, admission.Buffers.State));
    }

    [Fact]
    public async Task Buffers_can_be_added_while_they_are_looked_at()
    {
        await using SegmentLog log = await _directory.OpenAsync();
        using AdmissionControl admission = Control(log);
        int looks = 0;
        admission.AddBuffers(() =>
        {
            if (looks++ == 0)
            {
                admission.AddBuffers(() => admission.MaxBufferedBytes);
            }

            return 0;
        });
        Assert.Equal((Pressure.Normal, false), See(admission, 0));
        Assert.Equal((Pressure.Hard, true), See(admission, 0));
    }

    [Fact]
    public async Task A_log_at_its_limit_refuses_until_the_store_has_caught_up_and_deletes_nothing()
    {
        SegmentLog log = await _directory.OpenAsync(
            _directory.Options with { MaxBytes = 64 * 1024, SegmentBytes = 16 * 1024 });
        using AdmissionControl admission = Control(log);
        var sink = new CountingSink();
        int rows = 0;
        while (!admission.Refuses)
        {
            Assert.True(rows < 100_000, "no bound");
            LogDirectory.Append(log.Lane(LogDirectory.Events), sink, rows, 10);
            rows += 10;
            await sink.CommittedAsync(rows);
            admission.LookAtLog();
        }

        Assert.Equal(RefusalReason.Disk, admission.Refusal);
        Assert.InRange(log.Metrics.UnreleasedBytes + log.Metrics.OpenBytes, 64 * 1024, 72 * 1024);
        Assert.True(admission.NextRetryDelay() >= new AdmissionOptions().RetryDelay);

        await log.SealAsync();
        while (log.Sealed.TryRead(out SealedSegment? segment))
        {
            Assert.True(File.Exists(segment.Path));
            log.Release(segment);
        }

        admission.Look();
        Assert.False(admission.Refuses);
        await log.DisposeAsync();
    }

    [Theory]
    [InlineData(100L << 30, 10L << 30)]
    [InlineData(1L << 30, 8L << 27)]
    public async Task Without_a_setting_the_disk_says_how_large_the_log_may_be(long freeBytes, long limit)
    {
        await using SegmentLog log = await _directory.OpenAsync();
        using AdmissionControl admission = Control(log, freeBytes);
        admission.Look();
        Assert.InRange(admission.Disk.LimitBytes, limit / 10 * 7, limit);
    }

    [Fact]
    public async Task A_sender_that_sends_less_than_its_share_is_hardly_paused()
    {
        await using SegmentLog log = await _directory.OpenAsync();
        using AdmissionControl admission = Control(log);
        Lane lane = log.Lane(LogDirectory.Events);
        StreamTurns greedy = admission.Join("greedy", lane, lane);
        StreamTurns polite = admission.Join("polite", lane, lane);
        Assert.Equal(2, admission.SenderCount);
        await TakeAsync(greedy, 1_000_000);
        await TakeAsync(polite, 10_000);

        _memory = Limit / 100 * 94;
        admission.Look();
        Assert.True(admission.PauseOf(greedy.Share) > TimeSpan.FromMilliseconds(150));
        Assert.True(admission.PauseOf(polite.Share) < TimeSpan.FromMilliseconds(5));
        greedy.Close();
        polite.Close();
        Assert.Equal(0, admission.SenderCount);
    }

    [Fact]
    public async Task Near_the_limit_of_the_log_there_is_room_for_who_has_used_little()
    {
        SegmentLog log = await _directory.OpenAsync(
            _directory.Options with { MaxBytes = 64 * 1024, SegmentBytes = 4 * 1024 });
        using AdmissionControl admission = Control(log);
        Lane lane = log.Lane(LogDirectory.Events);
        StreamTurns greedy = admission.Join("greedy", lane, lane);
        StreamTurns polite = admission.Join("polite", lane, lane);
        await TakeAsync(greedy, 1_000_000);
        await TakeAsync(polite, 10_000);
        admission.Look();
        Assert.Equal(RefusalReason.Unspecified, greedy.Refusal);
        var sink = new CountingSink();
        for (int rows = 0; !admission.Refuses; admission.LookAtLog())
        {
            Assert.True(rows < 100_000, "no bound");
            LogDirectory.Append(lane, sink, rows, 10);
            rows += 10;
            await sink.CommittedAsync(rows);
        }

        Assert.Equal((RefusalReason.Disk, RefusalReason.Disk), (greedy.Refusal, polite.Refusal));
        Assert.True(polite.NextRetryDelay() < greedy.NextRetryDelay() / 2);

        await log.SealAsync();
        Assert.True(log.Sealed.TryRead(out SealedSegment? segment));
        log.Release(segment);
        admission.Look();
        Assert.True(admission.Refuses);
        Assert.Equal((RefusalReason.Disk, RefusalReason.Unspecified), (greedy.Refusal, polite.Refusal));

        // Its part is used up within a moment, not at the next look.
        await TakeAsync(polite, 2_000_000);
        Assert.Equal(RefusalReason.Disk, polite.Refusal);
        await log.DisposeAsync();
    }

    [Fact]
    public async Task A_sender_that_comes_back_is_still_known()
    {
        await using SegmentLog log = await _directory.OpenAsync();
        using AdmissionControl admission = Control(log);
        Lane lane = log.Lane(LogDirectory.Events);
        StreamTurns first = admission.Join("greedy", lane, lane);
        await TakeAsync(first, 1_000_000);
        admission.Look();
        first.Close();
        StreamTurns again = admission.Join("greedy", lane, lane);
        Assert.InRange(again.Share.UsedBytes, 900_000, 1_000_000);
        again.Close();
        for (int i = 0; i < 400; i++)
        {
            _time.Advance(TimeSpan.FromMilliseconds(100));
            admission.Look();
        }

        Assert.Equal(0, admission.Join("greedy", lane, lane).Share.UsedBytes);
    }

    [Fact]
    public async Task Two_bytes_a_row_are_not_taken_without_end()
    {
        await using SegmentLog log = await _directory.OpenAsync();
        using AdmissionControl admission = Control(log);
        Assert.Equal(262_144, admission.MaxRequestRows(emptyRowBytes: 70));
        Assert.Equal(65_536, admission.MaxRequestRows(emptyRowBytes: 1024));
    }

    private static async Task TakeAsync(StreamTurns stream, int bytes)
    {
        await stream.BeginAsync(CancellationToken.None);
        stream.Count(bytes, isHeld: false);
        stream.End();
    }

    private AdmissionControl Control(SegmentLog log, long freeBytes = 1L << 40) => new(
        new AdmissionOptions { MaxMemoryBytes = Limit }, log, NullLogger.Instance, _time, () => _memory,
        _ => freeBytes);

    private (Pressure, bool) See(AdmissionControl admission, long memory)
    {
        _memory = memory;
        admission.Look();
        return (admission.State, admission.Refuses);
    }
}
