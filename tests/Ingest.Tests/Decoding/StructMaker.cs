using System.Buffers.Binary;
using System.Text;
using Ingest.Decoding;

namespace Ingest.Tests.Decoding;

/// <summary>
/// Makes the bytes of Structs by decisions: names that come again, numbers and texts at the edges of what is written
/// quickly; mostly as libraries write them, now and then in the other ways that the wire has, or none.
/// </summary>
internal sealed class StructMaker(Choices choices)
{
    private const int MostLevels = 6;
    private const int ManyLevels = 40;

    private static readonly string[] s_names =
    [
        "a", "b", "a.b", "", "channel", "position", "campaign", "cost", "nine char", "é", "quote\"", "\0", "漢字",
        new('x', 31), new('y', 32), new('z', 33), new('l', 120), new('m', 130), new('n', 300), "😀", "\\", "\u007f",
        "user",
    ];

    private static readonly string[] s_pieces =
    [
        "a", "word ", "é", "漢", "😀", "\"", "\\", "\n", "\u001f", "\u007f", "\u0080", "\u2028", "<", "~", "[", "{", " ",
    ];

    private static readonly double[] s_numbers =
    [
        0, -0.0, 1, -1, 7, 99, 100, 0.5, 0.25, 0.1, 0.3, 0.1 + 0.2, -12.34, double.NaN, double.PositiveInfinity,
        double.NegativeInfinity, double.Epsilon, double.MaxValue, double.MinValue, 9007199254740991, 9007199254740992,
        9007199254740994, -9007199254740993, 999_999_999_999_999, 1e15, -1e15, 1e16, 123456789012345680, 1e20, 1e21,
        -1e21, 1e22, 1e-3, 9.99e-4, 1e-4, 1e-5, 1e-6, 1e-7, 999_999_999.999_999, 999.999_999_999_999,
        999_999_999_999_999.9, 4503599627370496.5, 1.005, long.MaxValue, long.MinValue, uint.MaxValue,
    ];

    /// <summary>The content of a Struct.</summary>
    public byte[] Make()
    {
        if (choices.OneIn(60))
        {
            return Deep(choices.Next(ManyLevels), choices.OneIn(2));
        }

        byte[] bytes = Members(MostLevels);
        if (bytes.Length == 0)
        {
            return bytes;
        }

        switch (choices.Next(30))
        {
            case 29:
                return bytes[..choices.Next(bytes.Length)];
            case 28:
                bytes[choices.Next(bytes.Length)] ^= (byte)(1 << choices.Next(8));
                return bytes;
            case 27:
                int at = choices.Next(bytes.Length + 1);
                return [.. bytes[..at], (byte)choices.Next(256), .. bytes[at..]];
            default:
                return bytes;
        }
    }

    private byte[] Members(int levels)
    {
        var output = new MemoryStream();

        // Rows of one sender have the same names in the same order.
        int first = choices.OneIn(3) ? choices.Next(s_names.Length) : 4;
        for (int i = 0, count = choices.OneIn(30) ? 20 : choices.Next(6); i < count; i++)
        {
            string name = s_names[choices.OneIn(5) ? choices.Next(s_names.Length) : (first + i) % s_names.Length];
            output.Write(Entry(Encoding.UTF8.GetBytes(name), Value(levels)));
        }

        return output.ToArray();
    }

    private byte[] Entry(byte[] name, byte[] value) => choices.Next(200) switch
    {
        199 => Field(1, [.. Field(2, value), .. Field(1, name)]),
        198 => Field(1, Field(1, name)),
        197 => Field(1, Field(2, value)),
        196 => Field(1, [.. Field(1, name), .. Field(2, [])]),
        195 => Field(1, [.. Field(1, name), .. Field(2, value), .. Field(2, Value(0))]),
        194 => Field(1, [.. Field(1, name), .. Field(2, value), .. Field(1, "again"u8.ToArray())]),
        193 => Field(1, [.. Field(1, name), .. Field(3, [1, 2]), .. Field(2, value)]),
        192 => Field(3, value),
        191 => Field(1, [.. Field(1, [.. name, 0xff]), .. Field(2, value)]),
        _ => Field(1, [.. Field(1, name), .. Field(2, value)]),
    };

    private byte[] Value(int levels)
    {
        byte[] bytes = choices.Next(levels > 0 ? 12 : 9) switch
        {
            0 => [(byte)StructWire.NullTag, choices.OneIn(30) ? (byte)1 : (byte)0],
            1 when choices.OneIn(40) => [(byte)StructWire.BoolTag, 0x81, 0],
            1 => [(byte)StructWire.BoolTag, (byte)choices.Next(2)],
            >= 2 and <= 5 => Number(),
            >= 6 and <= 8 => Field(3, Text()),
            9 => Field(5, Members(levels - 1)),
            _ => Field(6, Items(levels - 1)),
        };
        return choices.Next(150) switch
        {
            149 => [.. bytes, .. Number()],
            148 => [.. bytes, .. bytes],
            147 => [.. Field(15, [0]), .. bytes],
            146 => [],
            _ => bytes,
        };
    }

    private byte[] Items(int levels)
    {
        var output = new MemoryStream();
        for (int i = choices.Next(5); i > 0; i--)
        {
            output.Write(Field(1, Value(levels)));
        }

        return output.ToArray();
    }

    private byte[] Number()
    {
        double number = choices.Next(4) switch
        {
            0 => choices.Of(s_numbers),
            1 => BitConverter.UInt64BitsToDouble(choices.Bits()),
            2 => Math.BitIncrement(choices.Of(s_numbers)),
            _ => (choices.Next(2_000_000_000) - 1_000_000_000) / Math.Pow(10, choices.Next(13)),
        };
        byte[] bytes = new byte[9];
        bytes[0] = (byte)StructWire.NumberTag;
        BinaryPrimitives.WriteDoubleLittleEndian(bytes.AsSpan(1), number);
        return bytes;
    }

    private byte[] Text()
    {
        if (choices.OneIn(3))
        {
            int length = choices.OneIn(100) ? 4090 + choices.Next(20) : choices.Next(70);
            return Encoding.ASCII.GetBytes(new string((char)('a' + choices.Next(26)), length));
        }

        var text = new StringBuilder();
        for (int i = choices.Next(12); i > 0; i--)
        {
            text.Append(choices.Of(s_pieces));
        }

        byte[] bytes = Encoding.UTF8.GetBytes(text.ToString());
        return choices.OneIn(100) ? [.. bytes, 0xc3] : bytes;
    }

    private byte[] Deep(int levels, bool isList)
    {
        byte[] value = Value(0);
        for (int i = 0; i < levels; i++)
        {
            value = isList ? Field(6, Field(1, value)) : Field(5, Entry("o"u8.ToArray(), value));
        }

        return Entry("deep"u8.ToArray(), value);
    }

    private byte[] Field(int number, byte[] content)
    {
        var output = new MemoryStream();
        int padding = choices.OneIn(400) ? choices.Next(10) : 0;
        WireField.WriteVarint(output, (ulong)((number << 3) | 2), choices.OneIn(400) ? choices.Next(10) : 0);
        WireField.WriteVarint(output, (ulong)content.Length, padding);
        output.Write(content);
        return output.ToArray();
    }
}
