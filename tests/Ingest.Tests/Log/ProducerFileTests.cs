using Ingest.Log;

namespace Ingest.Tests.Log;

/// <summary>Producers over restarts, when the segments that name them are gone.</summary>
public sealed class ProducerFileTests : IDisposable
{
    private readonly LogDirectory _directory = new();
    private readonly ManualTime _time = new();

    private string FilePath => Path.Combine(_directory.TablePath, "producers");

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Offsets_survive_the_deletion_of_their_segments()
    {
        await WriteAsync("p", 0, 10);
        await WriteAsync("p", 10, 5);
        await WriteAsync("q", 0, 3);
        await EmptyAsync();
        Assert.Equal([FilePath], Directory.GetFiles(_directory.TablePath));

        for (var run = 0; run < 2; run++)
        {
            var log = await OpenAsync();
            Assert.Equal((15L, 15L, true), await AskAsync(log, "p"));
            Assert.Equal((3L, 3L, true), await AskAsync(log, "q"));
            Assert.Equal((0L, 0L, false), await AskAsync(log, "r"));
            await log.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_segment_goes_to_the_store_only_when_its_producers_are_saved()
    {
        var disk = new RecordingFiles();
        var log = await _directory.OpenAsync(disk: disk, time: _time);
        var sink = new CountingSink();
        LogDirectory.Append(log.Lane(LogDirectory.Events), sink, 0, 5, "p");
        await sink.CommittedAsync(5);
        disk.Before = call =>
        {
            if (call.Name is "create" or "write" && Path.GetFileName(call.Path).StartsWith("producers", StringComparison.Ordinal))
            {
                throw new IOException("no");
            }
        };
        await log.SealAsync();
        Assert.False(log.Sealed.TryRead(out _));

        disk.Before = null;
        _time.Advance(TimeSpan.FromHours(1));
        await Eventually.BeAsync(() => log.Sealed.TryPeek(out _));
        Assert.True(File.Exists(FilePath));
        await log.DisposeAsync();
    }

    [Fact]
    public async Task What_is_left_in_segments_says_how_far_producers_are_stored()
    {
        await WriteAsync("p", 0, 10);
        await EmptyAsync();
        await WriteAsync("p", 10, 10);
        await WriteAsync("p", 20, 10);

        var log = await OpenAsync();
        var session = new TestSession("p", 1);
        var opening = await log.Lane(LogDirectory.Events).OpenProducerAsync(session);
        Assert.Equal((30L, 10L), (opening.DurableOffset, opening.StoredOffset));
        foreach (var stored in new[] { 20, 30 })
        {
            Assert.True(log.Sealed.TryRead(out var segment));
            log.Release(segment);
            await Eventually.BeAsync(() => session.Stored == stored);
        }

        await log.DisposeAsync();
    }

    [Fact]
    public async Task A_file_cut_at_any_byte_gives_the_producers_before_the_cut()
    {
        foreach (var producer in new[] { "a", "b", "c" })
        {
            await WriteAsync(producer, 0, 4);
        }

        await EmptyAsync();
        var whole = File.ReadAllBytes(FilePath);
        var last = 0;
        HashSet<string> known = [];
        for (var cut = 0; cut <= whole.Length; cut++)
        {
            File.WriteAllBytes(FilePath, whole[..cut]);
            using var file = new ProducerFile(DiskFiles.Instance, _directory.TablePath);
            var records = file.Read(out var damaged);
            Assert.Equal(0, damaged);
            Assert.InRange(records.Count, last, last + 1);

            // A producer's first record says its session, the next one its rows.
            Assert.All(records, record => Assert.True(record.End is 0 or 4));
            known = [.. records.Where(record => record.End == 4).Select(record => record.ProducerId)];
            last = records.Count;
        }

        Assert.Equal(["a", "b", "c"], known.Order());
    }

    [Fact]
    public async Task A_rotten_record_is_reported_and_the_others_kept()
    {
        foreach (var producer in new[] { "a", "b", "c" })
        {
            await WriteAsync(producer, 0, 4);
        }

        await EmptyAsync();
        var bytes = File.ReadAllBytes(FilePath);
        bytes[bytes.Length / 2] ^= 0x40;
        File.WriteAllBytes(FilePath, bytes);

        var log = await OpenAsync();
        var known = new List<bool>();
        foreach (var producer in new[] { "a", "b", "c" })
        {
            known.Add((await AskAsync(log, producer)).IsKnown);
        }

        Assert.Equal(2, known.Count(isKnown => isKnown));
        Assert.Equal(bytes, File.ReadAllBytes(Path.Combine(_directory.QuarantinePath, "events-producers")));
        await log.DisposeAsync();
    }

    [Fact]
    public async Task The_file_is_written_anew_when_most_of_it_is_superseded()
    {
        var log = await OpenAsync();
        var lane = log.Lane(LogDirectory.Events);
        var session = new TestSession(new string('x', 200), 1);
        await lane.OpenProducerAsync(session);
        long longest = 0;
        for (var i = 0; i < 1000; i++)
        {
            LogDirectory.Append(lane, session, i, 1);
            await log.SealAsync();
            Assert.True(log.Sealed.TryRead(out var segment));
            log.Release(segment);
            longest = Math.Max(longest, new FileInfo(FilePath).Length);
        }

        Assert.InRange(longest, 60_000, 70_000);
        await log.DisposeAsync();
        log = await OpenAsync();
        Assert.Equal((1000L, 1000L, true), await AskAsync(log, session.ProducerId));
        await log.DisposeAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_expired_producer_begins_anew_and_what_older_segments_say_does_not_come_back(bool restart)
    {
        // Its first rows stay in the log: the store is away.
        await WriteAsync("p", 0, 100);
        _time.Advance(TimeSpan.FromDays(8));
        var log = await OpenAsync();
        if (restart)
        {
            await log.DisposeAsync();
            log = await OpenAsync();
        }

        Assert.Equal((0L, 0L, false), await AskAsync(log, "p"));
        await log.DisposeAsync();
        await WriteAsync("p", 0, 3);

        for (var run = 0; run < 2; run++)
        {
            log = await OpenAsync();
            Assert.Equal((3L, true), ((await AskAsync(log, "p")) is var (durable, _, known) ? (durable, known) : default));
            await log.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_producer_that_is_heard_of_does_not_expire()
    {
        await WriteAsync("p", 0, 10);
        for (var i = 0; i < 3; i++)
        {
            _time.Advance(TimeSpan.FromDays(6));
            await WriteAsync("p", 10 + i, 1);
        }

        var log = await OpenAsync();
        Assert.Equal(13, (await AskAsync(log, "p")).Durable);
        await log.DisposeAsync();
    }

    private Task<SegmentLog> OpenAsync() => _directory.OpenAsync(time: _time);

    private async Task WriteAsync(string producer, long first, int count)
    {
        var log = await OpenAsync();
        var sink = new CountingSink();
        LogDirectory.Append(log.Lane(LogDirectory.Events), sink, first, count, producer);
        await sink.CommittedAsync(count);
        await log.DisposeAsync();
    }

    private static async Task<(long Durable, long Stored, bool IsKnown)> AskAsync(SegmentLog log, string producer)
    {
        var opening = await log.Lane(LogDirectory.Events).OpenProducerAsync(new TestSession(producer, 1));
        return (opening.DurableOffset, opening.StoredOffset, opening.IsKnown);
    }

    // As the store would: every segment is taken and deleted.
    private async Task EmptyAsync()
    {
        var log = await OpenAsync();
        while (log.Sealed.TryRead(out var segment))
        {
            log.Release(segment);
        }

        await log.DisposeAsync();
    }
}
