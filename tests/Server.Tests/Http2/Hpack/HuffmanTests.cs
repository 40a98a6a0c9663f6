using Ingest.Server.Http2.Hpack;

namespace Ingest.Server.Tests.Http2.Hpack;

public class HuffmanTests
{
    // The codes of RFC 7541, appendix B, of the symbols 0 to 255, one behind the other, and one bit of padding.
    private const string EverySymbol =
        "ffc7fffd8fffffe2fffffe3fffffe4fffffe5fffffe6fffffe7fffffe8ffffeafffffff3fffffa7fffffabffffffdfff" +
        "ffebfffffecfffffedfffffeefffffefffffff0ffffff1ffffff2fffffffbfffffcffffffd3fffffd7fffffdbfffffdf" +
        "fffffe3fffffe7fffffebfffffed4fe3f9ffaffcabf1febfafefe7fdfd2cbb00089969b71d79fb9f7fff20ffbff3ff50" +
        "ddbd7f061c58f265cd9f469d5af66dddbf871e5f9cff7ff7fffc3ff9ffe45fff4719242cb34e6e9d68a6a3d7dac426de" +
        "fe3cfaf7fffbfe7ffbffdffffffcfffe6ffff4bfff9ffffa3fffd3ffff53fffd5ffffb3fffeb7fffdaffffb7ffff73ff" +
        "feeffffdeffffebffffbfffffd9ffffdbfffebffffe0ffffeeffffc3ffff8bffff1ffffe4fffee7fffb1ffff97fffd9f" +
        "fffcdffff9fffffbffffdafffeeffff4ffffb7fffee7fffe8ffffd3fffdeffffd5fffeeffffbdffffe1fffdfffff7fff" +
        "ff5ffffecffff07fff87fffe0ffff17fffedffff87ffff77fffeffffeaffff8bfffe3ffff93ffff87fffcbffff37ffff" +
        "1fffff83ffffe1fffebfffe3ffff3fffff2ffffa3ffffd9fffff17ffffc7fffff27ffffdefffffbffffff2fffff8ffff" +
        "fb7fff97fff8fffffe6fffffc1fffff87ffffe7fffffc5ffffe5fffe4ffff2fffffd1fffff4ffffffefffffe3fffffc9" +
        "fffff97fffb3ffffcffffb7fffcdffff4ffff9ffffd1ffffcffffeaffffafffffddffffeffffff4fffff5fffffabffff" +
        "a7ffffd7fffff9bffffecfffffb7fffff3fffffe8fffffd3fffffabfffff5fffffff7ffffecfffffdbfffffbbfffff7f" +
        "fffff0fffffbbf";

    [Fact]
    public void Every_symbol_has_the_code_of_the_RFC()
    {
        var symbols = Enumerable.Range(0, 256).Select(symbol => (byte)symbol).ToArray();

        Assert.True(TryDecode(Convert.FromHexString(EverySymbol), out var decoded));
        Assert.Equal(symbols, decoded);
    }

    [Fact]
    public void Every_pair_of_symbols_is_decoded_wherever_it_begins()
    {
        for (var pair = 0; pair < 65_536; pair++)
        {
            // Characters of five bits each move the pair through all places in a byte.
            var text = new string('a', pair % 8) + (char)(pair >> 8) + (char)(pair & 0xFF);

            Assert.True(TryDecode(WireModel.Encode(text), out var decoded));
            Assert.Equal(text.Select(octet => (byte)octet), decoded);
        }
    }

    [Theory]
    [InlineData("", true)]
    [InlineData("1F", true)] // a: 00011, and three ones
    [InlineData("18", false)] // a, padded by zeros
    [InlineData("1E", false)]
    [InlineData("1FFF", false)] // a, padded by more than a byte
    [InlineData("FF", false)] // padding alone, of a whole byte
    [InlineData("FFFFFFFF", false)] // EOS and two ones
    [InlineData("1FFFFFFFFF", false)] // a, EOS and ones
    [InlineData("FFC7", true)] // symbol 0 of 13 bits, and three ones
    [InlineData("FFC0", false)] // symbol 0, padded by zeros
    [InlineData("F8", true)] // & of 8 bits
    [InlineData("FE", false)] // the beginning of a longer code
    public void Padding_is_fewer_than_eight_ones_and_EOS_never_stands_in_a_string(string code, bool valid) =>
        Assert.Equal(valid, TryDecode(Convert.FromHexString(code), out _));

    private static bool TryDecode(byte[] code, out byte[] decoded)
    {
        var room = new byte[Huffman.MaxDecodedBytes(code.Length)];
        var done = Huffman.TryDecode(code, room, out var written);
        decoded = room[..written];
        return done;
    }
}
