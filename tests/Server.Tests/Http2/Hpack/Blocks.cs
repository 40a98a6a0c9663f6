using System.Text;
using Ingest.Server.Http2.Hpack;

namespace Ingest.Server.Tests.Http2.Hpack;

/// <summary>Header blocks by hand.</summary>
internal static class Blocks
{
    public const int MaxListBytes = 32 * 1024;
    public const int MaxFields = 128;

    /// <summary>Bytes of hexadecimal digits; spaces are for the reader.</summary>
    public static byte[] Hex(string digits) => Convert.FromHexString(digits.Replace(" ", "", StringComparison.Ordinal));

    /// <summary>A literal that is not indexed, with a new name; no Huffman code.</summary>
    public static byte[] Literal(string name, string value) => Literal(0x00, name, value);

    /// <summary>A literal that is to be indexed, with a new name; no Huffman code.</summary>
    public static byte[] Indexed(string name, string value) => Literal(0x40, name, value);

    public static (HpackError Error, HeaderList List) Decode(this HpackDecoder decoder, params byte[][] parts)
    {
        var list = new HeaderList();
        var error = decoder.Decode(parts.SelectMany(part => part).ToArray(), ref list, MaxListBytes, MaxFields);
        return (error, list);
    }

    private static byte[] Literal(byte form, string name, string value) =>
        [form, .. Text(name), .. Text(value)];

    private static byte[] Text(string text)
    {
        var octets = Encoding.Latin1.GetBytes(text);
        List<byte> bytes = [];
        WireModel.AddInteger(bytes, 0, 7, octets.Length);
        return [.. bytes, .. octets];
    }
}
