using Ingest.Log;
using Ingest.Stores.Poison;

namespace Ingest.Tests.Stores.Poison;

public sealed class PieceJournalTests : IDisposable
{
    private const string Reason = "Code: 469. DB::Exception: Constraint `slow` is violated";

    // As docs/log-format.md has it.
    private const string Example =
        $"8d362af7 segment 0 10000 UUID/gps_points/ID/HASH {Reason}\n"
        + "b58242fd landed 0 5000\n"
        + $"eb79a93b refused 5000 5000 {Reason}\n";

    private readonly string _directory = Directory.CreateTempSubdirectory("ingest-pieces-").FullName;
    private readonly SealedSegment _segment;

    public PieceJournalTests() => _segment = new SealedSegment(
        SegmentFile.Table("pieces"), 7, Path.Combine(_directory, "7.native"), 1000, 10_000, "UUID/gps_points/ID/HASH",
        Recovered: false);

    private string JournalPath => Path.Combine(_directory, "7.pieces");

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void It_is_written_as_the_document_says()
    {
        using (PieceJournal journal = PieceJournal.Begin(_segment, Reason + " (version 26.7.3.1)\nstack"))
        {
            journal.Add(new PieceOutcome(new RowRange(0, 5000), PieceResult.Landed));
            journal.Add(new PieceOutcome(new RowRange(5000, 5000), PieceResult.Refused, Reason));
        }

        Assert.Equal(Example, File.ReadAllText(JournalPath));
    }

    [Fact]
    public void Another_run_knows_what_was_written_and_goes_on()
    {
        File.WriteAllText(JournalPath, Example);
        using (PieceJournal journal = PieceJournal.Open(_segment)!)
        {
            Assert.Equal((Reason, 5000L), (journal.Reason, journal.LandedRows));
            Assert.Equal(PieceResult.Refused, journal.Find(new RowRange(5000, 5000))!.Result);
            Assert.Null(journal.Find(new RowRange(5000, 2500)));
            journal.Add(new PieceOutcome(new RowRange(5000, 2500), PieceResult.Landed));
        }

        using PieceJournal again = PieceJournal.Open(_segment)!;
        Assert.Equal(7500, again.LandedRows);
    }

    [Fact]
    public void A_last_line_that_was_cut_short_counts_for_nothing_and_is_written_over()
    {
        for (int length = 0; length < Example.Length; length++)
        {
            File.WriteAllText(JournalPath, Example[..length]);
            using PieceJournal? journal = PieceJournal.Open(_segment);
            int lines = Example[..length].Count(c => c == '\n');
            Assert.Equal(lines == 0, journal is null);
            Assert.Equal(Math.Max(0, lines - 1), journal?.Outcomes.Count ?? 0);
            journal?.Add(new PieceOutcome(new RowRange(9, 1), PieceResult.Landed));
            Assert.True(journal is null || File.ReadAllLines(JournalPath).Length == lines + 1);
        }
    }

    [Fact]
    public void Damage_before_good_lines_and_another_content_are_told()
    {
        File.WriteAllText(JournalPath, Example.Replace("landed", "lamded", StringComparison.Ordinal));
        Assert.Throws<InvalidDataException>(() => PieceJournal.Open(_segment));
        File.WriteAllText(JournalPath, Example);
        Assert.Throws<InvalidDataException>(() => PieceJournal.Open(_segment with { Token = "UUID/gps_points/ID/OTHER" }));
    }

    [Fact]
    public void There_is_none_before_the_first_refusal() => Assert.Null(PieceJournal.Open(_segment));
}
