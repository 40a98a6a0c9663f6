using Ingest.Log;
using Ingest.Stores;
using Ingest.Stores.ClickHouse;

namespace Ingest.Tests.Stores.ClickHouse;

public sealed class PlacementJournalTests : IDisposable
{
    private static readonly Uri s_server = new("http://a:8123");

    private readonly string _directory = Directory.CreateTempSubdirectory("ingest-placements-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task What_was_sent_is_known_after_a_restart_as_long_as_the_segment_is_there()
    {
        SealedSegment kept = Segment(1), gone = Segment(2);
        await using (PlacementJournal first = await PlacementJournal.OpenAsync(Journal))
        {
            Assert.False(first.IsWhole);
            Assert.Null(first.Find(kept.SegmentId));
            await first.RecordAsync(kept, s_server);
            await first.RecordAsync(gone, new Uri("https://b/path"));
            Assert.Equal("https://b/path", first.Find(gone.SegmentId));
        }

        File.Delete(gone.Path);
        await using PlacementJournal second = await PlacementJournal.OpenAsync(Journal);
        Assert.True(second.IsWhole);
        Assert.Equal(s_server.AbsoluteUri, second.Find(kept.SegmentId));
        Assert.Null(second.Find(gone.SegmentId));
    }

    [Fact]
    public async Task A_data_directory_can_be_moved()
    {
        SealedSegment segment = Segment(1);
        await using (PlacementJournal journal = await PlacementJournal.OpenAsync(Journal))
        {
            await journal.RecordAsync(segment, s_server);
        }

        string moved = _directory + "-moved";
        Directory.Move(_directory, moved);
        try
        {
            await using PlacementJournal journal = await PlacementJournal.OpenAsync(Path.Combine(moved, "placements"));
            Assert.Equal(s_server.AbsoluteUri, journal.Find(segment.SegmentId));
        }
        finally
        {
            Directory.Move(moved, _directory);
        }
    }

    [Fact]
    public async Task A_segment_that_recovery_wrote_anew_keeps_its_place()
    {
        SealedSegment segment = Segment(1);
        await using (PlacementJournal journal = await PlacementJournal.OpenAsync(Journal))
        {
            await journal.RecordAsync(segment, s_server);
        }

        File.Move(segment.Path, Path.ChangeExtension(segment.Path, null) + "-1.native");
        await using PlacementJournal next = await PlacementJournal.OpenAsync(Journal);
        Assert.Equal(s_server.AbsoluteUri, next.Find(segment.SegmentId));
    }

    [Fact]
    public async Task A_torn_last_line_is_one_of_which_nothing_was_sent()
    {
        SealedSegment segment = Segment(1), torn = Segment(2);
        await using (PlacementJournal journal = await PlacementJournal.OpenAsync(Journal))
        {
            await journal.RecordAsync(segment, s_server);
            await journal.RecordAsync(torn, s_server);
        }

        byte[] bytes = await File.ReadAllBytesAsync(Journal);
        await File.WriteAllBytesAsync(Journal, bytes[..^3]);
        await using PlacementJournal next = await PlacementJournal.OpenAsync(Journal);
        Assert.True(next.IsWhole);
        Assert.NotNull(next.Find(segment.SegmentId));
        Assert.Null(next.Find(torn.SegmentId));
    }

    [Theory]
    [InlineData("")]
    [InlineData("something else\n")]
    [InlineData("ingest placements 1\n12\thttp://a/\tx.native\nrubbish\n")]
    public async Task A_damaged_journal_is_not_whole(string text)
    {
        await File.WriteAllTextAsync(Journal, text);
        await using PlacementJournal journal = await PlacementJournal.OpenAsync(Journal);
        Assert.False(journal.IsWhole);
    }

    [Fact]
    public async Task A_journal_that_cannot_be_written_is_told_with_its_path()
    {
        string missing = Path.Combine(_directory, "missing", "placements");
        StoreException fault = await Assert.ThrowsAsync<StoreException>(() => PlacementJournal.OpenAsync(missing));
        Assert.Equal(StoreFault.Unavailable, fault.Fault);
        Assert.Contains(missing, fault.Message, StringComparison.Ordinal);
    }

    private string Journal => Path.Combine(_directory, "placements");

    private SealedSegment Segment(ulong id) =>
        SegmentFile.Write(_directory, SegmentFile.Table("placed"), SegmentFile.Id(id), [3]);
}
