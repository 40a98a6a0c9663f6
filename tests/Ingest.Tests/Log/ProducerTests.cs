using Ingest.Columns;
using Ingest.Log;

namespace Ingest.Tests.Log;

/// <summary>What the lane takes of producers' rows, and what it answers to them.</summary>
public sealed class ProducerTests : IDisposable
{
    private readonly LogDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Rows_that_are_durable_already_are_taken_out_and_the_others_kept()
    {
        var log = await _directory.OpenAsync();
        var lane = log.Lane(LogDirectory.Events);
        var (first, _) = await OpenAsync(lane, "p");
        LogDirectory.Append(lane, first, 0, 10);
        LogDirectory.Append(lane, first, 20, 5);
        await Eventually.BeAsync(() => first.Sink.CommittedRows == 15);
        Assert.Equal(10, first.Durable);

        var (second, opening) = await OpenAsync(lane, "p");
        Assert.Equal((10L, true), (opening.DurableOffset, opening.IsKnown));
        LogDirectory.Append(lane, new CountingSink(), 1000, 2);
        LogDirectory.Append(lane, second, 5, 30);
        LogDirectory.Append(lane, new CountingSink(), 2000, 2);
        await Eventually.BeAsync(() => second.Durable == 35);

        var segment = Assert.Single(await LogDirectory.StopAsync(log));
        Assert.Equal(
            [
                .. Numbers(0, 10), .. Numbers(20, 5), .. Numbers(10, 10), .. Numbers(25, 10), .. Numbers(1000, 2),
                .. Numbers(2000, 2),
            ],
            InOrderOfSenders(LogDirectory.ReadIds(segment.Path)));
        Assert.Equal(39, segment.Rows);
        Assert.Equal(0, log.Metrics.QueuedBytes);
    }

    [Fact]
    public async Task Rows_of_a_fenced_session_that_arrive_later_are_dropped()
    {
        var log = await _directory.OpenAsync();
        var lane = log.Lane(LogDirectory.Events);
        var (old, _) = await OpenAsync(lane, "p");
        var held = lane.Rent();
        LogDirectory.Fill(held, old, 0, 10, "p");

        var (current, opening) = await OpenAsync(lane, "p");
        Assert.Equal(0, opening.DurableOffset);
        Assert.Equal(1, old.FencedBy);
        lane.Return(held);
        await Eventually.BeAsync(() => old.Sink.FailedRows == 10);
        LogDirectory.Append(lane, current, 0, 3);
        await Eventually.BeAsync(() => current.Durable == 3);

        Assert.IsType<ProducerFencedException>(old.Sink.Failed[0].Cause);
        var segment = Assert.Single(await LogDirectory.StopAsync(log));
        Assert.Equal(Numbers(0, 3), LogDirectory.ReadIds(segment.Path));
    }

    [Fact]
    public async Task Opening_waits_for_what_was_given_back_before()
    {
        using var go = new ManualResetEventSlim();
        var disk = new RecordingFiles();
        var log = await _directory.OpenAsync(disk: disk);
        var lane = log.Lane(LogDirectory.Events);
        var (old, _) = await OpenAsync(lane, "p");
        disk.Before = call =>
        {
            if (call.Name == "flush")
            {
                go.Wait();
            }
        };
        LogDirectory.Append(lane, old, 0, 10);
        var session = new TestSession("p", 1);
        var opening = lane.OpenProducerAsync(session);
        Assert.False(opening.IsCompleted);
        go.Set();

        Assert.Equal(10, (await opening).DurableOffset);
        await log.DisposeAsync();
    }

    [Fact]
    public async Task An_older_epoch_is_refused_also_after_a_restart()
    {
        var log = await _directory.OpenAsync();
        var lane = log.Lane(LogDirectory.Events);
        var (current, _) = await OpenAsync(lane, "p", epoch: 7);
        var refused = await lane.OpenProducerAsync(new TestSession("p", 6));
        Assert.Equal((ProducerOpenResult.OlderEpoch, 7L), (refused.Result, refused.Epoch));
        Assert.Equal(-1, current.FencedBy);
        await log.DisposeAsync();

        // No row was ever written: the number itself was made durable.
        log = await _directory.OpenAsync();
        lane = log.Lane(LogDirectory.Events);
        refused = await lane.OpenProducerAsync(new TestSession("p", 6));
        Assert.Equal((ProducerOpenResult.OlderEpoch, 7L), (refused.Result, refused.Epoch));
        Assert.Equal(ProducerOpenResult.Opened, (await lane.OpenProducerAsync(new TestSession("p", 8))).Result);
        await log.DisposeAsync();
    }

    [Fact]
    public async Task A_session_number_that_could_not_be_saved_is_saved_when_the_session_is_tried_again()
    {
        var disk = new RecordingFiles();
        var log = await _directory.OpenAsync(disk: disk);
        var lane = log.Lane(LogDirectory.Events);
        disk.Before = call =>
        {
            if (call.Path.Contains("producers", StringComparison.Ordinal))
            {
                throw new IOException("no");
            }
        };
        await Assert.ThrowsAsync<IOException>(() => lane.OpenProducerAsync(new TestSession("p", 7)));
        await Assert.ThrowsAsync<IOException>(() => lane.OpenProducerAsync(new TestSession("p", 7)));
        disk.Before = null;
        await OpenAsync(lane, "p", epoch: 7);
        Assert.Contains(disk.Calls, call => call.Name == "rename" && call.Path.Contains("producers", StringComparison.Ordinal));
        await log.DisposeAsync();

        log = await _directory.OpenAsync();
        var refused = await log.Lane(LogDirectory.Events).OpenProducerAsync(new TestSession("p", 6));
        Assert.Equal((ProducerOpenResult.OlderEpoch, 7L), (refused.Result, refused.Epoch));
        await log.DisposeAsync();
    }

    [Fact]
    public async Task A_group_that_failed_gives_its_offsets_back()
    {
        var disk = new RecordingFiles();
        var log = await _directory.OpenAsync(disk: disk);
        var lane = log.Lane(LogDirectory.Events);
        var (session, _) = await OpenAsync(lane, "p");
        LogDirectory.Append(lane, session, 0, 5);
        await Eventually.BeAsync(() => session.Durable == 5);
        disk.Before = call =>
        {
            if (call is { Name: "flush", Extension: ".native" })
            {
                throw new IOException("no");
            }
        };
        LogDirectory.Append(lane, session, 5, 5);
        await session.Sink.FailedAsync(5);
        disk.Before = null;

        var (again, opening) = await OpenAsync(lane, "p");
        Assert.Equal(5, opening.DurableOffset);
        LogDirectory.Append(lane, again, 5, 5);
        await Eventually.BeAsync(() => again.Durable == 10);
        var segments = await LogDirectory.StopAsync(log);
        Assert.Equal(Numbers(0, 10), segments.SelectMany(segment => LogDirectory.ReadIds(segment.Path)));
    }

    [Fact]
    public async Task A_session_without_an_id_has_watermarks_and_leaves_nothing()
    {
        var log = await _directory.OpenAsync();
        var lane = log.Lane(LogDirectory.Events);
        var (session, opening) = await OpenAsync(lane, "");
        Assert.False(opening.IsKnown);
        LogDirectory.Append(lane, session, 0, 5);
        await Eventually.BeAsync(() => session.Durable == 5);
        await log.SealAsync();
        Assert.True(log.Sealed.TryRead(out var segment));
        Assert.Equal(0, session.Stored);
        log.Release(segment);
        await Eventually.BeAsync(() => session.Stored == 5);

        Assert.Equal(0, lane.Producers.Count);
        await log.DisposeAsync();
        Assert.Empty(Directory.GetFiles(_directory.TablePath));
    }

    [Fact]
    public async Task More_producers_than_the_limit_are_refused_and_closed_ones_without_rows_make_room()
    {
        var log = await _directory.OpenAsync(_directory.Options with { MaxProducers = 1 });
        var lane = log.Lane(LogDirectory.Events);
        var (session, _) = await OpenAsync(lane, "a", epoch: 0);
        var refused = await lane.OpenProducerAsync(new TestSession("b", 0));
        Assert.Equal(ProducerOpenResult.TooManyProducers, refused.Result);
        lane.CloseProducer(session);
        await Eventually.BeAsync(() => lane.Producers.Count == 0);

        await OpenAsync(lane, "b");
        await log.DisposeAsync();
    }

    [Fact]
    public async Task Ids_that_were_opened_and_never_used_do_not_keep_others_out()
    {
        var time = new ManualTime();
        var log = await _directory.OpenAsync(_directory.Options with { MaxProducers = 3 }, time: time);
        var lane = log.Lane(LogDirectory.Events);
        var (used, _) = await OpenAsync(lane, "used");
        LogDirectory.Append(lane, used, 0, 5);
        await log.SealAsync();
        lane.CloseProducer(used);
        var (idle, _) = await OpenAsync(lane, "idle");
        var (other, _) = await OpenAsync(lane, "other");
        lane.CloseProducer(other);

        // Of those that are there only the one that has neither rows nor a session goes.
        await Eventually.BeAsync(() => lane.Producers.TryGet("other", out var state) && state.Session is null);
        var (late, _) = await OpenAsync(lane, "late");
        lane.CloseProducer(late);
        await Eventually.BeAsync(() => lane.Producers.TryGet("late", out var state) && state.Session is null);
        Assert.Equal(["idle", "late", "used"], lane.Producers.All.Select(producer => producer.Id).Order());

        // To look at all of them takes long when there are many.
        var refused = await lane.OpenProducerAsync(new TestSession("more", 1));
        Assert.Equal(ProducerOpenResult.TooManyProducers, refused.Result);
        time.Advance(TimeSpan.FromSeconds(10));
        await OpenAsync(lane, "more");
        Assert.Equal(-1, idle.FencedBy);
        await log.DisposeAsync();

        log = await _directory.OpenAsync();
        Assert.Equal(
            ["idle", "more", "used"],
            log.Lane(LogDirectory.Events).Producers.All.Select(producer => producer.Id).Order());
        Assert.Empty(log.Lane(LogDirectory.Events).Producers.Expired);
        await log.DisposeAsync();
    }

    [Fact]
    public async Task Stored_follows_the_store_and_rejected_offsets_do_not_hold_it_back()
    {
        var log = await _directory.OpenAsync();
        var lane = log.Lane(LogDirectory.Events);
        var (session, _) = await OpenAsync(lane, "p");
        var segments = new List<SealedSegment>();
        foreach (var first in new[] { 0, 10 })
        {
            LogDirectory.Append(lane, session, first, 10);
            await log.SealAsync();
            Assert.True(log.Sealed.TryRead(out var segment));
            segments.Add(segment);
        }

        LogDirectory.Append(lane, session, 20, 0, rejected: 4);
        await Eventually.BeAsync(() => session.Durable == 24);
        Assert.Equal(0, session.Stored);
        log.Release(segments[0]);
        await Eventually.BeAsync(() => session.Stored == 10);
        log.Release(segments[1]);
        await Eventually.BeAsync(() => session.Stored == 24);
        await log.DisposeAsync();
    }

    private static async Task<(TestSession Session, ProducerOpening Opening)> OpenAsync(
        Lane lane, string producer, long epoch = 1)
    {
        var session = new TestSession(producer, epoch);
        var opening = await lane.OpenProducerAsync(session);
        Assert.Equal(ProducerOpenResult.Opened, opening.Result);
        return (session, opening);
    }

    private static IEnumerable<long> Numbers(int first, int count) =>
        Enumerable.Range(first, count).Select(number => (long)number);

    // Rows of others may stand before or behind, as batches come.
    private static IEnumerable<long> InOrderOfSenders(IReadOnlyList<long> ids) =>
        ids.OrderBy(id => id < 1000 ? 0 : id);
}
