using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Ingest.Tests.Decoding;

/// <summary>A field on the wire that can be changed and written again, canonical or not.</summary>
internal sealed class WireField
{
    private const int MostVarintBytes = 10;

    public required int Number { get; init; }

    public required WireFormat.WireType Type { get; set; }

    public ulong Varint { get; set; }

    /// <summary>The four or eight bytes of a fixed value, or the content of what has a length.</summary>
    public byte[] Bytes { get; set; } = [];

    /// <summary>The numbers of a packed list, for who takes it apart.</summary>
    public List<byte[]>? Items { get; init; }

    /// <summary>The fields of a message or a group.</summary>
    public List<WireField>? Fields { get; set; }

    /// <summary>Bytes that the tag, the length and the varint take more than they have to.</summary>
    public int Padding { get; set; }

    public WireField Clone() => new()
    {
        Number = Number,
        Type = Type,
        Varint = Varint,
        Bytes = Bytes,
        Fields = Fields?.ConvertAll(f => f.Clone()),
        Padding = Padding,
    };

    /// <summary>Takes a message apart.</summary>
    public static List<WireField> Parse(byte[] message, MessageDescriptor type)
    {
        var input = new CodedInputStream(message);
        var fields = new List<WireField>();
        while (input.ReadTag() is var tag and not 0)
        {
            var field = new WireField
            {
                Number = WireFormat.GetTagFieldNumber(tag),
                Type = WireFormat.GetTagWireType(tag),
            };
            switch (field.Type)
            {
                case WireFormat.WireType.Varint:
                    field.Varint = input.ReadUInt64();
                    break;
                case WireFormat.WireType.Fixed32:
                    field.Bytes = BitConverter.GetBytes(input.ReadFixed32());
                    break;
                case WireFormat.WireType.Fixed64:
                    field.Bytes = BitConverter.GetBytes(input.ReadFixed64());
                    break;
                default:
                    field.Bytes = input.ReadBytes().ToByteArray();
                    break;
            }

            var known = type.FindFieldByNumber(field.Number);
            if (known?.FieldType == FieldType.Message)
            {
                field.Fields = Parse(field.Bytes, known.MessageType);
            }

            fields.Add(field);
        }

        return fields;
    }

    public static byte[] Write(IEnumerable<WireField> fields)
    {
        var output = new MemoryStream();
        foreach (var field in fields)
        {
            field.Write(output);
        }

        return output.ToArray();
    }

    public static void WriteVarint(MemoryStream output, ulong value, int padding)
    {
        var length = 0;
        for (; value >= 0x80; value >>= 7, length++)
        {
            output.WriteByte((byte)(value | 0x80));
        }

        padding = Math.Min(padding, MostVarintBytes - 1 - length);
        output.WriteByte((byte)(padding > 0 ? value | 0x80 : value));
        for (var i = 1; i <= padding; i++)
        {
            output.WriteByte((byte)(i < padding ? 0x80 : 0));
        }
    }

    private void Write(MemoryStream output)
    {
        WriteVarint(output, WireFormat.MakeTag(Number, Type), Padding);
        switch (Type)
        {
            case WireFormat.WireType.Varint:
                WriteVarint(output, Varint, Padding);
                break;
            case WireFormat.WireType.LengthDelimited:
                var content = Fields is null ? Bytes : Write(Fields);
                WriteVarint(output, (ulong)content.Length, Padding);
                output.Write(content);
                break;
            case WireFormat.WireType.StartGroup:
                output.Write(Write(Fields!));
                WriteVarint(output, WireFormat.MakeTag(Number, WireFormat.WireType.EndGroup), Padding);
                break;
            default:
                output.Write(Bytes);
                break;
        }
    }
}
