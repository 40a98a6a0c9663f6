using System.Buffers;
using System.Text;

namespace Ingest.Protocol;

/// <summary>
/// The encoding of <c>grpc-message</c>: UTF-8 whose bytes outside blank to <c>~</c>, and <c>%</c> itself, are written
/// as <c>%XX</c>.
/// </summary>
public static class PercentEncoding
{
    private static readonly SearchValues<char> Unreserved = SearchValues.Create(
        [.. Enumerable.Range(' ', '~' - ' ' + 1).Select(c => (char)c).Where(c => c != '%')]);

    /// <summary>Encodes a text. Plain ASCII comes back as it is.</summary>
    public static string Encode(string text)
    {
        if (!text.AsSpan().ContainsAnyExcept(Unreserved))
        {
            return text;
        }

        var encoded = new StringBuilder(text.Length + 16);
        foreach (var octet in Encoding.UTF8.GetBytes(text))
        {
            if (octet is >= (byte)' ' and <= (byte)'~' and not (byte)'%')
            {
                encoded.Append((char)octet);
            }
            else
            {
                encoded.Append('%').Append(HexDigit(octet >> 4)).Append(HexDigit(octet & 0xF));
            }
        }

        return encoded.ToString();
    }

    /// <summary>
    /// Decodes a text. As the specification asks, what is malformed is left as it is: a <c>%</c> without two hex digits
    /// stands for itself, bytes that are not UTF-8 become U+FFFD.
    /// </summary>
    public static string Decode(string text)
    {
        if (!text.Contains('%', StringComparison.Ordinal))
        {
            return text;
        }

        var source = Encoding.UTF8.GetBytes(text);
        var length = 0;
        for (var i = 0; i < source.Length; i++)
        {
            if (source[i] == '%' && i + 2 < source.Length
                && char.IsAsciiHexDigit((char)source[i + 1]) && char.IsAsciiHexDigit((char)source[i + 2]))
            {
                source[length++] = (byte)((HexValue(source[i + 1]) << 4) | HexValue(source[i + 2]));
                i += 2;
            }
            else
            {
                source[length++] = source[i];
            }
        }

        return Encoding.UTF8.GetString(source, 0, length);
    }

    private static char HexDigit(int value) => (char)(value < 10 ? '0' + value : 'A' + value - 10);

    private static int HexValue(byte digit) => digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10;
}
