using Ingest.Server.Http2.Hpack;

namespace Ingest.Server.Tests.Http2.Hpack;

public class HpackEncoderTests
{
    private static readonly int[] s_lengths = [0, 1, 14, 15, 16, 126, 127, 128, 254, 255, 256, 16_510, 16_511, 40_000];

    [Fact]
    public void What_is_written_is_read()
    {
        foreach (var length in s_lengths)
        {
            var value = string.Concat(Enumerable.Range(0, length).Select(i => (char)('!' + (i % 94))));
            foreach (var name in new[] { "Content-Type", "WWW-Authenticate", "grpc-status", "x" + new string('Y', length) })
            {
                var block = Write(name, value);

                var list = new HeaderList();
                Assert.Equal(HpackError.None, new HpackDecoder().Decode(block, ref list, int.MaxValue, 1));
                Assert.Equal([$"{name.ToLowerInvariant()}: {value}"], list.Lines);
            }
        }
    }

    [Theory]
    [InlineData(200, 1)]
    [InlineData(204, 1)]
    [InlineData(206, 1)]
    [InlineData(304, 1)]
    [InlineData(400, 1)]
    [InlineData(404, 1)]
    [InlineData(500, 1)]
    [InlineData(100, 5)]
    [InlineData(431, 5)]
    [InlineData(999, 5)]
    public void A_status_is_an_index_where_it_can_be(int status, int bytes)
    {
        var block = new byte[HpackEncoder.MaxStatusBytes];

        Assert.Equal(bytes, HpackEncoder.WriteStatus(status, block));

        Assert.Equal([$":status: {status}"], new HpackDecoder().Decode(block[..bytes]).List.Lines);
    }

    [Fact]
    public void Every_name_of_the_static_table_is_written_as_an_index()
    {
        foreach (var name in StaticTable.Names.Where(name => !name.IsPseudo))
        {
            Assert.InRange(Write(name.Text.ToUpperInvariant(), "").Length, 2, 3);
        }
    }

    [Theory]
    [InlineData("content-type", "application/grpc")]
    [InlineData("grpc-status", "0")]
    [InlineData("x", "")]
    public void Without_room_nothing_is_written_and_nothing_beyond(string name, string value)
    {
        var block = Write(name, value);
        for (var room = 0; room < block.Length; room++)
        {
            Assert.False(HpackEncoder.TryWrite(name, value, new byte[room], out var written));
            Assert.Equal(0, written);
        }

        Assert.True(HpackEncoder.TryWrite(name, value, new byte[block.Length], out _));
    }

    [Fact]
    public void A_block_made_beforehand_may_begin_with_the_end_of_the_table()
    {
        var block = HpackEncoder.Encode(200, ("Content-Type", "application/grpc"), ("grpc-status", "0"));

        Assert.Equal([":status: 200", "content-type: application/grpc", "grpc-status: 0"],
            new HpackDecoder().Decode([HpackEncoder.NoTable], block).List.Lines);
        Assert.Equal(["grpc-status: 0"],
            new HpackDecoder().Decode(HpackEncoder.Encode(0, ("grpc-status", "0"))).List.Lines);
    }

    [Theory]
    [InlineData("", "")]
    [InlineData(":path", "")]
    [InlineData("a b", "")]
    [InlineData("a\r\n", "")]
    [InlineData("ä", "")]
    [InlineData("a", "b\r\nc: d")]
    [InlineData("a", "\0")]
    [InlineData("a", "ü")]
    [InlineData("a", "\u007f")]
    public void What_is_no_header_is_not_written(string name, string value) =>
        Assert.Throws<InvalidOperationException>(() => HpackEncoder.TryWrite(name, value, new byte[100], out _));

    [Fact]
    public void A_field_is_written_without_allocation()
    {
        var room = new byte[100];
        HpackEncoder.TryWrite("Content-Type", "application/grpc", room, out _);
        HpackEncoder.TryWrite("grpc-status", "0", room, out _);

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
        {
            HpackEncoder.WriteStatus(200, room);
            HpackEncoder.TryWrite("Content-Type", "application/grpc", room, out _);
            HpackEncoder.TryWrite("grpc-status", "0", room, out _);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static byte[] Write(string name, string value)
    {
        var block = new byte[HpackEncoder.MaxBytes(name, value)];
        Assert.True(HpackEncoder.TryWrite(name, value, block, out var written));
        return block[..written];
    }
}
