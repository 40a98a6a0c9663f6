using System.Text;
using Ingest.Cli.Input;

namespace Ingest.Cli.Tests.Input;

public sealed class LineReaderTests
{
    [Fact]
    public void Lines_end_with_lf_or_cr_lf_or_the_end_and_a_byte_order_mark_is_left_out()
    {
        Assert.Equal(["a", "", "b", "c\r", "d"], Lines("\uFEFFa\r\n\nb\nc\r\r\nd"));
        Assert.Equal(["a"], Lines("a\n"));
        Assert.Empty(Lines(""));
    }

    [Fact]
    public void Lines_longer_than_the_buffer_and_over_its_border_are_whole()
    {
        var expected = Enumerable.Range(0, 300).Select(i => new string((char)('a' + (i % 26)), i * 97)).ToList();
        expected.Insert(7, new string('x', 1_000_000));
        Assert.Equal(expected, Lines(string.Join("\r\n", expected)));
    }

    [Fact]
    public void A_line_without_end_is_refused()
    {
        using var lines = new LineReader(new MemoryStream(new byte[LineReader.MaxLineBytes + 1]));
        Assert.Throws<InvalidDataException>(() => lines.TryRead(out _));
    }

    [Fact]
    public void A_record_goes_on_over_lines_within_quotes_and_an_open_quote_takes_one_line_only()
    {
        using var lines = new LineReader(new MemoryStream("a,\"b\n\"\"c\"\nd\n\"e\nf\ng"u8.ToArray()));
        var records = new List<(long, string)>();
        while (lines.TryReadRecord(out var record))
        {
            records.Add((lines.Line, Encoding.UTF8.GetString(record)));
        }
        Assert.Equal([(1, "a,\"b\n\"\"c\""), (3, "d"), (4, "\"e"), (5, "f"), (6, "g")], records);
    }

    private static List<string> Lines(string text)
    {
        // A stream that gives a few bytes at a time: borders fall everywhere.
        using var lines = new LineReader(new TrickleStream(Encoding.UTF8.GetBytes(text)));
        var read = new List<string>();
        while (lines.TryRead(out var line))
        {
            read.Add(Encoding.UTF8.GetString(line));
            Assert.Equal(read.Count, lines.Line);
        }
        return read;
    }

    private sealed class TrickleStream(byte[] bytes) : MemoryStream(bytes)
    {
        public override int Read(byte[] buffer, int offset, int count) =>
            base.Read(buffer, offset, Math.Min(count, Position < 10_000 ? 7 : 65_536));
    }
}
