using Ingest.Log;
using Ingest.Log.Inspection;

namespace Ingest.Tests.Log;

public sealed class SpareFilesTests : IDisposable
{
    private const int Full = 10;

    private readonly LogDirectory _directory = new();
    private readonly RecordingFiles _disk = new();
    private readonly ManualTime _time = new();
    private readonly CountingSink _sink = new();
    private int _sent;

    public void Dispose() => _directory.Dispose();

    private LogOptions Options => _directory.Options with { SegmentRows = Full, Linger = TimeSpan.Zero };

    [Fact]
    public async Task A_segment_is_written_over_the_file_of_one_that_the_store_has()
    {
        SegmentLog log = await OpenAsync();
        SealedSegment first = await FillAsync(log, padding: 500);
        log.Release(first);
        Assert.Equal([$"{first.SegmentId}.spare"], Names());

        int calls = _disk.Calls.Count;
        SealedSegment second = await FillAsync(log, padding: 100);
        SealedSegment third = await FillAsync(log, padding: 1000);
        Assert.Equal(
            [
                "create .index", "write .index", "flush .index", "flush directory ", "rename .spare", "open .native",
                "write .native", "write .index",
            ],
            _disk.Calls.Skip(calls).Take(8).Select(call => call.ToString()));
        foreach (SealedSegment segment in new[] { second, third })
        {
            Assert.Equal(segment.Length, new FileInfo(segment.Path).Length);
        }

        Assert.True(second.Length < first.Length);
        Assert.Equal(Enumerable.Range(Full, Full).Select(i => (long)i), LogDirectory.ReadIds(second.Path));
        Assert.Equal(Enumerable.Range(2 * Full, Full).Select(i => (long)i), LogDirectory.ReadIds(third.Path));

        // A longer one behind a shorter one.
        log.Release(second);
        SealedSegment fourth = await FillAsync(log, padding: 1000);
        Assert.Equal(Enumerable.Range(3 * Full, Full).Select(i => (long)i), LogDirectory.ReadIds(fourth.Path));
        await LogDirectory.StopAsync(log);

        (RecoveryReport report, List<SealedSegment> recovered) = await _directory.RecoverAsync();
        Assert.Equal((0L, 0), (report.CutBytes, report.Quarantined));
        Assert.Equal([third.Token, fourth.Token], recovered.Select(segment => segment.Token));
    }

    [Fact]
    public async Task After_a_crash_what_the_file_had_before_is_neither_inserted_nor_set_aside()
    {
        SegmentLog log = await OpenAsync();
        SealedSegment[] full = [await FillAsync(log, padding: 500), await FillAsync(log, padding: 500)];
        Assert.All(full, log.Release);
        await AppendAsync(log, 3);
        long[] acknowledged = [.. Enumerable.Range(2 * Full, 3).Select(i => (long)i)];
        using LogDirectory crashed = Copy(".native", ".index", ".spare");
        Assert.True(new FileInfo(crashed.Single(".native")).Length > 3000);
        Assert.Single(Directory.GetFiles(crashed.TablePath, "*.spare"));
        await LogDirectory.StopAsync(log);

        (RecoveryReport report, List<SealedSegment> recovered) = await crashed.RecoverAsync();
        SealedSegment segment = Assert.Single(recovered);
        Assert.Equal(acknowledged, LogDirectory.ReadIds(segment.Path));
        Assert.Equal(segment.Length, new FileInfo(segment.Path).Length);
        Assert.True(report.CutBytes > 3000);
        Assert.Empty(crashed.Quarantined(".native"));
        Assert.Empty(Directory.GetFiles(crashed.TablePath, "*.spare"));
    }

    [Fact]
    public async Task A_segment_that_has_nothing_durable_leaves_nothing_of_the_file_before()
    {
        SegmentLog log = await OpenAsync();
        log.Release(await FillAsync(log, padding: 500));
        LogDirectory? crashed = null;
        _disk.Before = call =>
        {
            if (call is { Name: "write", Extension: ".native" })
            {
                crashed = Copy(".native", ".index");
            }
        };
        await AppendAsync(log, 1);
        _disk.Before = null;
        await LogDirectory.StopAsync(log);

        (RecoveryReport report, List<SealedSegment> recovered) = await crashed!.RecoverAsync();
        Assert.Empty(recovered);
        Assert.Equal(0, report.Quarantined);
        Assert.Empty(crashed.Quarantined(".native"));
        Assert.Empty(Directory.GetFiles(crashed.TablePath, "*.native"));
        crashed.Dispose();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Of_a_torn_end_no_row_that_the_store_has_can_come_back(bool isRecordReadable)
    {
        SegmentLog log = await OpenAsync();
        log.Release(await FillAsync(log, padding: 500));
        await AppendAsync(log, 1);
        long durable = Index().Length;
        await AppendAsync(log, 1);
        using LogDirectory crashed = Copy(".native", ".index");
        await LogDirectory.StopAsync(log);

        // The second group: its record or its block is not what it was.
        string spoiled = crashed.Single(isRecordReadable ? ".native" : ".index");
        byte[] bytes = await File.ReadAllBytesAsync(spoiled);
        bytes[isRecordReadable ? (int)SegmentScan.Run(DiskFiles.Instance, FilesOf(crashed)).Kept.Last().Offset + 20 : durable + 30] ^= 1;
        await File.WriteAllBytesAsync(spoiled, bytes);

        (_, List<SealedSegment> recovered) = await crashed.RecoverAsync();
        Assert.Equal([(long)Full], LogDirectory.ReadIds(Assert.Single(recovered).Path));
        QuarantineDirectory quarantine = QuarantineDirectory.Of(crashed.DataPath);
        QuarantinedPiece piece = Assert.Single(quarantine.List());
        Assert.InRange(piece.Rows, 0, 1);
        Assert.DoesNotContain(
            quarantine.Rows(piece.Name, 100), row => long.Parse(row["event_id"], System.Globalization.CultureInfo.InvariantCulture) < Full);
        if (isRecordReadable)
        {
            Assert.InRange(new FileInfo(Assert.Single(crashed.Quarantined(".native"))).Length, 1, 1000);
        }
    }

    [Theory]
    [InlineData("write", ".index")]
    [InlineData("flush", ".index")]
    [InlineData("flush directory", "")]
    [InlineData("rename", ".spare")]
    [InlineData("open", ".native")]
    [InlineData("truncate", ".native")]
    public async Task When_the_disk_refuses_a_step_no_durable_row_is_lost_and_none_comes_back(string call, string extension)
    {
        SegmentLog log = await OpenAsync();
        log.Release(await FillAsync(log, padding: 500));
        bool isRefused = false;
        _disk.Before = next =>
        {
            if (!isRefused && next.Name == call && next.Extension == extension)
            {
                isRefused = true;
                throw new IOException("no");
            }
        };
        var bad = new CountingSink();
        LogDirectory.Append(log.Lane(LogDirectory.Events), bad, 100, 1);
        bool isCut = call == "truncate"; // Only when the segment is sealed, and nobody minds.
        await (isCut ? bad.CommittedAsync(1) : bad.FailedAsync(1));
        LogDirectory.Append(log.Lane(LogDirectory.Events), _sink, 50, 2);
        await _sink.CommittedAsync(Full + 2);
        List<SealedSegment> segments = await LogDirectory.StopAsync(log);

        Assert.True(isRefused);
        long[] expected = isCut ? [100, 50, 51] : [50, 51];
        Assert.Equal(expected, segments.SelectMany(Ids));
        (RecoveryReport report, List<SealedSegment> recovered) = await _directory.RecoverAsync();
        Assert.Equal(expected, recovered.SelectMany(Ids));
        Assert.Equal(0, report.Quarantined);
        Assert.Empty(Directory.GetFiles(_directory.TablePath, "*.spare"));
    }

    [Fact]
    public async Task The_file_of_a_failed_write_is_not_written_over()
    {
        SegmentLog log = await OpenAsync();
        await AppendAsync(log, Full - 1);
        bool isRefused = false;
        _disk.Before = call =>
        {
            if (!isRefused && call is { Name: "flush", Extension: ".native" })
            {
                isRefused = true;
                throw new IOException("no");
            }
        };
        var bad = new CountingSink();
        LogDirectory.Append(log.Lane(LogDirectory.Events), bad, 100, 1);
        await bad.FailedAsync(1);
        await AppendAsync(log, 1); // Says where the failed segment ends; then the store gets it.
        log.Release(await log.Sealed.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30)));
        Assert.Empty(Directory.GetFiles(_directory.TablePath, "*.spare"));
        await LogDirectory.StopAsync(log);
    }

    [Fact]
    public async Task No_more_are_kept_than_the_setting_says_and_none_of_segments_that_are_not_half_full()
    {
        SegmentLog log = await OpenAsync();
        SealedSegment[] segments = [await FillAsync(log), await FillAsync(log), await FillAsync(log)];
        Assert.All(segments, log.Release);
        Assert.Equal(segments.Take(2).Select(segment => $"{segment.SegmentId}.spare"), Names());

        await AppendAsync(log, 1);
        await log.SealAsync();
        Assert.Single(Directory.GetFiles(_directory.TablePath, "*.spare"));
        log.Release(await log.Sealed.ReadAsync());
        Assert.Single(Names());
        await LogDirectory.StopAsync(log);

        SegmentLog without = await OpenAsync(Options with { SpareFiles = 0 });
        without.Release(await FillAsync(without));
        Assert.Empty(Names());
        await LogDirectory.StopAsync(without);
    }

    [Fact]
    public async Task They_go_when_the_table_is_quiet()
    {
        SegmentLog log = await OpenAsync();
        SealedSegment first = await FillAsync(log);
        SealedSegment second = await FillAsync(log);
        _time.Advance(TimeSpan.FromMinutes(1));
        log.Release(first);
        log.Release(second);
        Assert.Equal(2, Names().Length);
        for (int i = 0; i < 4 && Names().Length > 0; i++)
        {
            await Eventually.BeAsync(() => _time.HasTimerSet || Names().Length == 0);
            _time.Advance(TimeSpan.FromSeconds(30));
            await log.SealAsync();
        }

        Assert.Empty(Names());
        await LogDirectory.StopAsync(log);
    }

    private Task<SegmentLog> OpenAsync(LogOptions? options = null) => _directory.OpenAsync(options ?? Options, _disk, _time);

    private async Task<SealedSegment> FillAsync(SegmentLog log, int padding = 0)
    {
        await AppendAsync(log, Full, padding);
        return await log.Sealed.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30));
    }

    private async Task AppendAsync(SegmentLog log, int count, int padding = 0)
    {
        LogDirectory.Append(log.Lane(LogDirectory.Events), _sink, _sent, count, padding: padding);
        _sent += count;
        await _sink.CommittedAsync(_sent);
    }

    private LogDirectory Copy(params string[] extensions)
    {
        var copy = new LogDirectory();
        Directory.CreateDirectory(copy.TablePath);
        File.Copy(Path.Combine(_directory.DataPath, "directory.uuid"), Path.Combine(copy.DataPath, "directory.uuid"));
        foreach (string path in Directory.GetFiles(_directory.TablePath).Where(path => extensions.Contains(Path.GetExtension(path))))
        {
            using var source = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            using FileStream target = File.Create(Path.Combine(copy.TablePath, Path.GetFileName(path)));
            source.CopyTo(target);
        }

        return copy;
    }

    private FileInfo Index() => new(_directory.Single(".index"));

    private string[] Names() =>
        [.. Directory.GetFiles(_directory.TablePath).Select(Path.GetFileName).Where(name => name != "producers").Order()!];

    private static SegmentFiles FilesOf(LogDirectory directory) =>
        SegmentFiles.TryParse(directory.Single(".native"), out SegmentFiles? files) ? files! : throw new InvalidOperationException();

    private static IEnumerable<long> Ids(SealedSegment segment) => LogDirectory.ReadIds(segment.Path);
}
