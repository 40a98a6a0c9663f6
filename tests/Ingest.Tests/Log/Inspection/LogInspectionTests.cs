using Ingest.Log;
using Ingest.Log.Inspection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ingest.Tests.Log.Inspection;

public sealed class LogInspectionTests : IDisposable
{
    private readonly LogDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task A_stopped_log_is_told_whole()
    {
        await WriteAsync(3, 10);
        LogInspection log = LogInspection.Read(_directory.DataPath);

        Assert.False(log.IsInUse);
        Assert.NotNull(log.DirectoryId);
        Assert.Empty(log.Faults);
        Assert.Empty(log.Quarantine);
        InspectedTable table = Assert.Single(log.Tables);
        InspectedSegment segment = Assert.Single(table.Segments);
        Assert.Equal(("events", 30L, 3), (table.Name, table.Rows, segment.Blocks));
        Assert.Equal(new FileInfo(_directory.Single(".native")).Length, segment.Bytes);
        InspectedProducer producer = Assert.Single(table.Producers);
        Assert.Equal(("van", 1L, 30L), (producer.Id, producer.Epoch, producer.DurableOffset));
    }

    [Fact]
    public async Task A_log_that_is_being_written_has_no_faults_whenever_it_is_looked_at()
    {
        SegmentLog log = await _directory.OpenAsync();
        Lane lane = log.Lane(LogDirectory.Events);
        var sink = new CountingSink();
        var seen = new List<long>();
        for (int i = 0; i < 200; i++)
        {
            LogDirectory.Append(lane, sink, i * 20, 20);
            LogInspection now = LogInspection.Read(_directory.DataPath);
            Assert.True(now.IsInUse);
            Assert.Empty(now.Faults);
            seen.Add(now.Tables.Sum(table => table.Rows));
        }

        await sink.CommittedAsync(4000);
        Assert.Equal(seen.Order(), seen);
        Assert.Equal(4000, LogInspection.Read(_directory.DataPath).Tables.Single().Rows);
        await log.DisposeAsync();
    }

    [Theory]
    [InlineData(".native")]
    [InlineData(".index")]
    public async Task Any_changed_byte_of_a_segment_is_told(string extension)
    {
        await WriteAsync(2, 3);
        string path = _directory.Single(extension);
        byte[] good = await File.ReadAllBytesAsync(path);
        for (int at = 0; at < good.Length; at++)
        {
            byte[] spoilt = [.. good];
            spoilt[at] ^= 0x10;
            await File.WriteAllBytesAsync(path, spoilt);
            Assert.True(LogInspection.Read(_directory.DataPath).Faults.Any(), $"byte {at} was changed and nobody said so");
        }
    }

    [Fact]
    public async Task A_dry_run_says_what_a_repair_does_and_changes_nothing()
    {
        await WriteAsync(4, 5);
        Spoil(_directory.Single(".native"));
        await File.WriteAllTextAsync(Path.Combine(_directory.TablePath, "17.native"), "no index");
        Dictionary<string, string> before = Files();

        RecoveryReport dry = LogRepair.Run(_directory.DataPath, isDry: true, NullLogger.Instance);
        Assert.Equal(before, Files());
        RecoveryReport done = LogRepair.Run(_directory.DataPath, isDry: false, NullLogger.Instance);
        Assert.NotEqual(before, Files());

        Assert.Equal(done with { Elapsed = default, UnknownTables = dry.UnknownTables }, dry with { Elapsed = default });
        Assert.Equal((2, 5L, 15L), (done.Quarantined, done.QuarantinedRows, done.Rows));
        Assert.Empty(LogInspection.Read(_directory.DataPath).Faults);

        // The server's own start finds nothing left to do.
        (RecoveryReport start, List<SealedSegment> segments) = await _directory.RecoverAsync();
        Assert.Equal((0, 0L, 15L), (start.Quarantined, start.CutBytes, segments.Sum(s => s.Rows)));
    }

    [Fact]
    public async Task A_table_that_the_server_does_not_know_is_repaired_too()
    {
        await WriteAsync(4, 5);
        string other = Path.Combine(_directory.DataPath, "log", "own_table");
        Directory.Move(_directory.TablePath, other);
        Spoil(Directory.GetFiles(other, "*.native").Single());
        Assert.Equal(1, LogRepair.Run(_directory.DataPath, isDry: false, NullLogger.Instance).Quarantined);
        Assert.Empty(LogInspection.Read(_directory.DataPath).Faults);
    }

    [Fact]
    public async Task A_directory_that_a_server_has_is_not_repaired()
    {
        await using SegmentLog log = await _directory.OpenAsync();
        Assert.Throws<DataDirectoryInUseException>(
            () => LogRepair.Run(_directory.DataPath, isDry: true, NullLogger.Instance));
    }

    [Fact]
    public void Another_directory_is_told() => Assert.Throws<DirectoryNotFoundException>(
        () => LogInspection.Read(_directory.DataPath));

    private static void Spoil(string path)
    {
        using FileStream file = File.Open(path, FileMode.Open);
        file.Position = file.Length / 3;
        int before = file.ReadByte();
        file.Position--;
        file.WriteByte((byte)~before);
    }

    private async Task WriteAsync(int blocks, int rowsEach)
    {
        SegmentLog log = await _directory.OpenAsync();
        var sink = new CountingSink();
        for (int block = 0; block < blocks; block++)
        {
            LogDirectory.Append(log.Lane(LogDirectory.Events), sink, block * rowsEach, rowsEach, "van");
            await sink.CommittedAsync((block + 1) * rowsEach);
        }

        await LogDirectory.StopAsync(log);
    }

    private Dictionary<string, string> Files() => Directory
        .GetFiles(_directory.DataPath, "*", SearchOption.AllDirectories)
        .Where(file => Path.GetFileName(file) is not ("lock" or "lock.pid"))
        .ToDictionary(file => file, file => Convert.ToHexString(File.ReadAllBytes(file)));
}
