using Ingest.Log;
using Ingest.Log.Inspection;

namespace Ingest.Tests.Log.Inspection;

public sealed class QuarantineDirectoryTests : IDisposable
{
    private readonly LogDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task A_block_whose_index_record_rotted_can_be_looked_at_and_given_back()
    {
        ulong segment = await WriteAsync();
        await SpoilAsync(".index", "BLK\u0001"u8, skip: 1, at: 25);
        Assert.Equal(20, (await _directory.RecoverAsync()).Segments.Sum(s => s.Rows));

        QuarantineDirectory quarantine = QuarantineDirectory.Of(_directory.DataPath);
        QuarantinedPiece piece = Assert.Single(quarantine.List());
        Assert.Equal((QuarantineKind.Block, "events", segment, 10L), (piece.Kind, piece.Table, piece.SegmentId, piece.Rows));
        Assert.NotNull(piece.Fault);
        Assert.Equal(["10", "11"], quarantine.Rows(piece.Name, 2).Select(row => row["event_id"]));
        InvalidDataException fault = Assert.Throws<InvalidDataException>(() => quarantine.Restore(piece.Name, false));
        Assert.Contains("--unverified", fault.Message, StringComparison.Ordinal);

        (ulong restored, long rows) = quarantine.Restore(piece.Name, isUnverified: true);
        Assert.Equal((10L, segment >> 22), (rows, restored >> 22));
        Assert.NotEqual(segment, restored);
        Assert.Empty(quarantine.List());
        Assert.Throws<FileNotFoundException>(() => quarantine.Restore(piece.Name, true));

        List<SealedSegment> segments = (await _directory.RecoverAsync()).Segments;
        Assert.Equal([20L, 10L], segments.OrderBy(s => s.SegmentId == restored).Select(s => s.Rows));
        SealedSegment again = segments.Single(s => s.SegmentId == restored);
        Assert.Equal(Enumerable.Range(10, 10).Select(i => (long)i), LogDirectory.ReadIds(again.Path));
        Assert.True(again.Recovered, "the store is asked before it gets the rows");
        Assert.Equal(
            $"{restored}", Ingest.Log.Inspection.BlockText.Row(Ingest.Columns.BlockContent.Read(await File.ReadAllBytesAsync(again.Path)), 0)["segment_id"]);
    }

    [Fact]
    public async Task The_same_piece_given_back_again_is_the_same_segment()
    {
        await WriteAsync();
        await SpoilAsync(".index", "BLK\u0001"u8, skip: 1, at: 25);
        await _directory.RecoverAsync();
        string copy = Directory.CreateTempSubdirectory("ingest-copy-").FullName;
        foreach (string file in Directory.GetFiles(_directory.QuarantinePath))
        {
            File.Copy(file, Path.Combine(copy, Path.GetFileName(file)));
        }

        QuarantineDirectory quarantine = QuarantineDirectory.Of(_directory.DataPath);
        string name = quarantine.List().Single().Name;
        ulong first = quarantine.Restore(name, true).SegmentId;
        string token = (await _directory.RecoverAsync()).Segments.Single(s => s.SegmentId == first).Token;
        foreach (string file in Directory.GetFiles(_directory.TablePath, $"{first}.*"))
        {
            File.Delete(file);
        }

        foreach (string file in Directory.GetFiles(copy))
        {
            File.Copy(file, Path.Combine(_directory.QuarantinePath, Path.GetFileName(file)));
        }

        Directory.Delete(copy, recursive: true);
        Assert.Equal(first, quarantine.Restore(name, true).SegmentId);
        Assert.Equal(token, (await _directory.RecoverAsync()).Segments.Single(s => s.SegmentId == first).Token);
    }

    [Fact]
    public async Task A_block_whose_bytes_rotted_is_not_given_back_as_if_it_were_good()
    {
        await WriteAsync();
        using (FileStream file = File.Open(_directory.Single(".native"), FileMode.Open))
        {
            file.Position = file.Length / 2;
            file.WriteByte(0xEE);
        }

        await _directory.RecoverAsync();
        QuarantineDirectory quarantine = QuarantineDirectory.Of(_directory.DataPath);
        QuarantinedPiece piece = Assert.Single(quarantine.List());
        Assert.Equal("its checksum does not match", piece.Fault);
        Assert.Throws<InvalidDataException>(() => quarantine.Restore(piece.Name, false));
        Assert.Equal([("van", 10L, 10)], quarantine.Producers(piece.Name));
    }

    [Fact]
    public async Task A_whole_segment_goes_back_under_its_own_name()
    {
        await WriteAsync();
        SealedSegment segment = (await _directory.RecoverAsync()).Segments.Single();
        string kept = Ingest.Stores.SegmentQuarantine.Move(segment, _directory.QuarantinePath, "the store would not have it");
        Assert.True(File.Exists(kept));
        Assert.Empty((await _directory.RecoverAsync()).Segments);

        QuarantineDirectory quarantine = QuarantineDirectory.Of(_directory.DataPath);
        QuarantinedPiece piece = Assert.Single(quarantine.List());
        Assert.Equal(
            (QuarantineKind.Segment, 30L, "the store would not have it", null), (piece.Kind, piece.Rows, piece.Reason, piece.Fault));
        Assert.Equal((segment.SegmentId, 30L), quarantine.Restore(piece.Name, isUnverified: false));
        Assert.Equal(segment, (await _directory.RecoverAsync()).Segments.Single());
        Assert.Empty(Directory.GetFiles(_directory.QuarantinePath));
    }

    [Fact]
    public async Task Nothing_is_given_back_to_a_log_that_a_server_has()
    {
        await WriteAsync();
        await SpoilAsync(".index", "BLK\u0001"u8, skip: 1, at: 25);
        await using SegmentLog log = await _directory.OpenAsync();
        QuarantineDirectory quarantine = QuarantineDirectory.Of(_directory.DataPath);
        Assert.Throws<DataDirectoryInUseException>(() => quarantine.Restore(quarantine.List().Single().Name, true));
    }

    // Three blocks of ten events of producer `van`.
    private async Task<ulong> WriteAsync()
    {
        SegmentLog log = await _directory.OpenAsync();
        var sink = new CountingSink();
        for (int block = 0; block < 3; block++)
        {
            LogDirectory.Append(log.Lane(LogDirectory.Events), sink, block * 10, 10, "van");
            await sink.CommittedAsync((block + 1) * 10);
        }

        return (await LogDirectory.StopAsync(log)).Single().SegmentId;
    }

    private Task SpoilAsync(string extension, ReadOnlySpan<byte> what, int skip, int at)
    {
        string path = _directory.Single(extension);
        byte[] bytes = File.ReadAllBytes(path);
        int place = bytes.AsSpan().IndexOf(what);
        for (; skip > 0; skip--)
        {
            place += 1 + bytes.AsSpan(place + 1).IndexOf(what);
        }

        bytes[place + at] ^= 1;
        return File.WriteAllBytesAsync(path, bytes);
    }
}
