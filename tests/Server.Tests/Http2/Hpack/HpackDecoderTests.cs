using System.Buffers;
using Ingest.Server.Http2.Hpack;

namespace Ingest.Server.Tests.Http2.Hpack;

public class HpackDecoderTests
{
    private static readonly string[] s_first =
        [":method: GET", ":scheme: http", ":path: /", ":authority: www.example.com"];

    private static readonly string[] s_second = [.. s_first, "cache-control: no-cache"];

    private static readonly string[] s_third =
    [
        ":method: GET", ":scheme: https", ":path: /index.html", ":authority: www.example.com",
        "custom-key: custom-value",
    ];

    private static readonly string[] s_firstResponse =
    [
        ":status: 302", "cache-control: private", "date: Mon, 21 Oct 2013 20:13:21 GMT",
        "location: https://www.example.com",
    ];

    private static readonly string[] s_secondResponse = [":status: 307", .. s_firstResponse[1..]];

    private static readonly string[] s_thirdResponse =
    [
        ":status: 200", "cache-control: private", "date: Mon, 21 Oct 2013 20:13:22 GMT",
        "location: https://www.example.com", "content-encoding: gzip",
        "set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1",
    ];

    /// <summary>RFC 7541, appendix C: blocks of one connection, their fields, and the table's size after each.</summary>
    public static TheoryData<int, string[], string[][], int[]> AppendixC => new()
    {
        { 4096, ["400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572"], [["custom-key: custom-header"]],
            [55] },
        { 4096, ["040c 2f73 616d 706c 652f 7061 7468"], [[":path: /sample/path"]], [0] },
        { 4096, ["1008 7061 7373 776f 7264 0673 6563 7265 74"], [["password: secret"]], [0] },
        { 4096, ["82"], [[":method: GET"]], [0] },
        {
            4096,
            [
                "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
                "8286 84be 5808 6e6f 2d63 6163 6865",
                "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65",
            ],
            [s_first, s_second, s_third],
            [57, 110, 164]
        },
        {
            4096,
            [
                "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
                "8286 84be 5886 a8eb 1064 9cbf",
                "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
            ],
            [s_first, s_second, s_third],
            [57, 110, 164]
        },
        {
            256,
            [
                "4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32"
                    + "3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
                "4803 3330 37c1 c0bf",
                "88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970"
                    + "7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178"
                    + "2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31",
            ],
            [s_firstResponse, s_secondResponse, s_thirdResponse],
            [222, 222, 215]
        },
        {
            256,
            [
                "4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad"
                    + "1718 63c7 8f0b 97c8 e9ae 82ae 43d3",
                "4883 640e ffc1 c0bf",
                "88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2"
                    + "e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50"
                    + "07",
            ],
            [s_firstResponse, s_secondResponse, s_thirdResponse],
            [222, 222, 215]
        },
    };

    [Theory]
    [MemberData(nameof(AppendixC))]
    public void The_examples_of_the_RFC_are_read(int maxTableBytes, string[] blocks, string[][] fields, int[] tableBytes)
    {
        var decoder = new HpackDecoder(maxTableBytes);
        for (var i = 0; i < blocks.Length; i++)
        {
            var (error, list) = decoder.Decode(Blocks.Hex(blocks[i]));

            Assert.Equal(HpackError.None, error);
            Assert.Equal(fields[i], list.Lines);
            Assert.Equal(tableBytes[i], decoder.TableBytes);
        }
    }

    [Theory]
    [InlineData("80", nameof(HpackError.IndexOutOfRange))]
    [InlineData("BE", nameof(HpackError.IndexOutOfRange))] // 62, and nothing is in the dynamic table
    [InlineData("7E0161", nameof(HpackError.IndexOutOfRange))] // a name of the dynamic table
    [InlineData("FF", nameof(HpackError.Truncated))]
    [InlineData("FF80", nameof(HpackError.Truncated))]
    [InlineData("FF8080808001", nameof(HpackError.IntegerTooLarge))]
    [InlineData("FFFFFFFFFFFFFF7F", nameof(HpackError.IntegerTooLarge))]
    [InlineData("FF8080808000", nameof(HpackError.IntegerTooLarge))] // zeros alone, but more than anybody needs
    [InlineData("00", nameof(HpackError.Truncated))]
    [InlineData("0001", nameof(HpackError.Truncated))]
    [InlineData("000161", nameof(HpackError.Truncated))]
    [InlineData("00016101", nameof(HpackError.Truncated))]
    [InlineData("0001617FFFFFFF7F", nameof(HpackError.Truncated))] // a value of 256 MiB
    [InlineData("00017F", nameof(HpackError.Truncated))]
    [InlineData("44", nameof(HpackError.Truncated))]
    [InlineData("0481FF", nameof(HpackError.BadHuffman))]
    [InlineData("0484FFFFFFFF", nameof(HpackError.BadHuffman))]
    [InlineData("008118017A", nameof(HpackError.BadHuffman))]
    [InlineData("3FE21F", nameof(HpackError.TableSizeTooLarge))] // 4097
    [InlineData("3FFFFFFF7F", nameof(HpackError.TableSizeTooLarge))]
    [InlineData("3F", nameof(HpackError.Truncated))]
    [InlineData("8220", nameof(HpackError.TableSizeMisplaced))]
    [InlineData("20823FE11F", nameof(HpackError.TableSizeMisplaced))]
    public void A_malformed_block_is_refused(string block, string expected)
    {
        var (error, _) = new HpackDecoder().Decode(Blocks.Hex(block));

        Assert.Equal(expected, error.ToString());
    }

    [Fact]
    public void The_index_behind_the_last_field_is_refused_and_the_last_is_not()
    {
        var decoder = new HpackDecoder();
        decoder.Decode(Blocks.Indexed("a", "1"), Blocks.Indexed("b", "2"));

        Assert.Equal(["b: 2", "a: 1"], decoder.Decode([0xBE, 0xBF]).List.Lines);
        Assert.Equal(HpackError.IndexOutOfRange, decoder.Decode([0xC0]).Error);
    }

    [Fact]
    public void A_table_size_update_drops_the_oldest_and_lets_the_table_grow_again()
    {
        var decoder = new HpackDecoder();
        decoder.Decode(Blocks.Indexed("a", "1"), Blocks.Indexed("b", "2"));
        Assert.Equal(68, decoder.TableBytes);

        Assert.Equal(["b: 2"], decoder.Decode([0x3F, 34 - 31, 0xBE]).List.Lines);
        Assert.Equal(34, decoder.TableBytes);
        Assert.Equal(HpackError.None, decoder.Decode([0x20], [0x3F, 0xE1, 0x1F]).Error);
        Assert.Equal(0, decoder.TableBytes);
        Assert.Equal(["c: 3", "c: 3"], decoder.Decode(Blocks.Indexed("c", "3"), [0xBE]).List.Lines);
    }

    [Fact]
    public void A_field_that_is_larger_than_the_table_empties_it()
    {
        var decoder = new HpackDecoder(64);

        var (error, list) = decoder.Decode(Blocks.Indexed("a", "1"), Blocks.Indexed("b", new string('2', 32)));

        Assert.Equal((HpackError.None, 2, 0), (error, list.Fields.Count, decoder.TableBytes));
    }

    [Fact]
    public void A_field_may_take_its_name_from_the_one_that_it_drives_out()
    {
        var decoder = new HpackDecoder(64);
        decoder.Decode(Blocks.Indexed("abc", "1"));

        Assert.Equal(["abc: " + new string('2', 20)],
            decoder.Decode([0x7E, 20, .. Enumerable.Repeat((byte)'2', 20)]).List.Lines);
        Assert.Equal(55, decoder.TableBytes);
    }

    [Fact]
    public void Above_the_limits_fields_are_left_out_and_the_table_stays_in_step()
    {
        var decoder = new HpackDecoder();
        byte[] block =
        [
            .. Blocks.Indexed("a", "1"), .. Blocks.Indexed("b", new string('2', 500)), .. Blocks.Indexed("c", "3"),
            .. Blocks.Literal(new string('d', 2000), new string('4', 2000)),
        ];
        foreach (var (maxBytes, maxFields) in new[] { (100, 10), (10_000, 1) })
        {
            var list = new HeaderList();

            Assert.Equal(HpackError.TooLarge, decoder.Decode(block, ref list, maxBytes, maxFields));

            Assert.Equal(["a: 1"], list.Lines);
            Assert.Equal(["c: 3", "a: 1"], decoder.Decode([0xBE, 0xC0]).List.Lines);
        }
    }

    [Fact]
    public void A_small_block_of_a_large_field_is_too_large()
    {
        var decoder = new HpackDecoder();
        decoder.Decode(Blocks.Indexed("a", new string('1', 4000)));
        var list = new HeaderList();

        var error = decoder.Decode(
            Enumerable.Repeat((byte)0xBE, 16_000).ToArray(), ref list, Blocks.MaxListBytes, int.MaxValue);

        Assert.Equal((HpackError.TooLarge, Blocks.MaxListBytes / 4033), (error, list.Fields.Count));
    }

    [Theory]
    [InlineData("a\0b", null)]
    [InlineData("a\rb", null)]
    [InlineData("a\nb", null)]
    [InlineData("\u00ff", null)] // not UTF-8
    [InlineData("\u00c3\u00bc", "ü")]
    [InlineData(" \ta b\t ", "a b")]
    [InlineData(" ", "")]
    public void A_value_is_what_may_stand_in_a_header_or_nothing(string octets, string? value)
    {
        var decoder = new HpackDecoder();
        foreach (var name in new[] { "user-agent", "some-name" })
        {
            var (error, list) = decoder.Decode(Blocks.Indexed(name, octets), Blocks.Literal(name, octets), [0xBE]);

            Assert.Equal(HpackError.None, error);
            Assert.All(list.Fields, field => Assert.Equal(value, field.Value));
            Assert.Equal(3, list.Fields.Count);
        }
    }

    [Theory]
    [InlineData("content-type", true, nameof(HeaderId.ContentType))]
    [InlineData("te", true, nameof(HeaderId.Te))]
    [InlineData("connection", true, nameof(HeaderId.Connection))]
    [InlineData(":path", true, nameof(HeaderId.Path))]
    [InlineData("x-1.~", true, nameof(HeaderId.Other))]
    [InlineData(":status", false, nameof(HeaderId.Other))]
    [InlineData(":protocol", false, nameof(HeaderId.Other))]
    [InlineData("Content-Type", false, nameof(HeaderId.Other))]
    [InlineData("TE", false, nameof(HeaderId.Other))]
    [InlineData("a b", false, nameof(HeaderId.Other))]
    [InlineData("a:b", false, nameof(HeaderId.Other))]
    [InlineData("a\u00ff", false, nameof(HeaderId.Other))]
    [InlineData("", false, nameof(HeaderId.Other))]
    public void A_name_is_known_and_valid_in_lower_case_only(string octets, bool valid, string id)
    {
        var name = new HpackDecoder().Decode(Blocks.Literal(octets, "")).List.Fields.Single().Name;

        Assert.Equal((valid, id, octets.StartsWith(':')), (name.IsValid, name.Id.ToString(), name.IsPseudo));
        Assert.Equal(octets, name.Text, ignoreCase: name.Id != HeaderId.Other);
    }

    [Fact]
    public void A_block_in_pieces_is_read_as_a_whole()
    {
        byte[] block = [0x82, .. Blocks.Indexed("name", "value"), 0xBE];
        var first = new Piece(block.AsMemory(0, 1), null);
        var last = block.Skip(1).Aggregate(first, (before, octet) => new Piece(new[] { octet }, before));
        var list = new HeaderList();

        var error = new HpackDecoder().Decode(
            new ReadOnlySequence<byte>(first, 0, last, 1), ref list, Blocks.MaxListBytes, Blocks.MaxFields);

        Assert.Equal(HpackError.None, error);
        Assert.Equal([":method: GET", "name: value", "name: value"], list.Lines);
    }

    private sealed class Piece : ReadOnlySequenceSegment<byte>
    {
        public Piece(ReadOnlyMemory<byte> memory, Piece? before)
        {
            Memory = memory;
            RunningIndex = before is null ? 0 : before.RunningIndex + before.Memory.Length;
            if (before is not null)
            {
                before.Next = this;
            }
        }
    }
}
