using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Ingest.Tests.Decoding;

/// <summary>
/// Writes a message otherwise: fields shuffled, repeated, in the other packing, split in two, unknown ones among them,
/// varints too long; and spoils it: cut, bits flipped, text that is none.
/// </summary>
internal sealed class WireMutator(Choices choices)
{
    private const int FarNumber = 536_870_911;

    public byte[] Mutate(IMessage message)
    {
        var type = message.Descriptor;
        var fields = WireField.Parse(message.ToByteArray(), type);
        if (choices.OneIn(4))
        {
            // Merged with another of its kind.
            fields.AddRange(WireField.Parse(new MessageMaker(choices).Make(type).ToByteArray(), type));
        }

        if (!choices.OneIn(6))
        {
            Mutate(fields, type);
        }

        return Spoil(WireField.Write(fields));
    }

    private void Mutate(List<WireField> fields, MessageDescriptor type)
    {
        for (var i = 0; i < fields.Count; i++)
        {
            var known = type.FindFieldByNumber(fields[i].Number);
            if (known is not null)
            {
                MutateField(fields, ref i, known);
            }
        }

        if (choices.OneIn(3))
        {
            Shuffle(fields);
        }

        for (var i = choices.OneIn(3) ? choices.Next(4) : 0; i > 0; i--)
        {
            fields.Insert(choices.Next(fields.Count + 1), Unknown(type, 0));
        }
    }

    private void MutateField(List<WireField> fields, ref int i, FieldDescriptor known)
    {
        var field = fields[i];
        if (field.Fields is not null && known.FieldType == FieldType.Message)
        {
            Mutate(field.Fields, known.MessageType);
            if (choices.OneIn(5))
            {
                // In two parts, which belong together; of a list these are two items.
                var rest = field.Clone();
                var cut = choices.Next(field.Fields.Count + 1);
                rest.Fields = field.Fields[cut..];
                field.Fields = field.Fields[..cut];
                fields.Insert(++i, rest);
            }
        }

        if (known.IsRepeated && IsNumber(known))
        {
            Repack(fields, i, known);
        }

        field.Padding = choices.OneIn(12) ? choices.Next(10) : 0;
        if (choices.OneIn(12))
        {
            fields.Insert(choices.Next(fields.Count + 1), field.Clone());
            i++;
        }

        if (known.FieldType == FieldType.String && choices.OneIn(40))
        {
            // No UTF-8.
            field.Bytes = [.. field.Bytes, 0xff];
        }
    }

    // A list of numbers in one piece becomes several, and the reverse.
    private void Repack(List<WireField> fields, int i, FieldDescriptor known)
    {
        var field = fields[i];
        if (field.Type == WireFormat.WireType.LengthDelimited && choices.OneIn(3))
        {
            if (!TryItems(field.Bytes, known, out var items))
            {
                // Spoilt by an earlier change.
                return;
            }

            fields.RemoveAt(i);
            fields.InsertRange(i, items.Count == 0 ? [field] : items);
        }
        else if (field.Type != WireFormat.WireType.LengthDelimited && choices.OneIn(3))
        {
            var packed = new MemoryStream();
            if (field.Type == WireFormat.WireType.Varint)
            {
                WireField.WriteVarint(packed, field.Varint, choices.OneIn(4) ? choices.Next(10) : 0);
            }
            else
            {
                packed.Write(field.Bytes);
            }

            fields[i] = new WireField
            {
                Number = field.Number,
                Type = WireFormat.WireType.LengthDelimited,
                Bytes = packed.ToArray(),
            };
        }
    }

    private static bool TryItems(byte[] packed, FieldDescriptor known, out List<WireField> items)
    {
        try
        {
            items = Items(packed, known);
            return true;
        }
        catch (InvalidProtocolBufferException)
        {
            items = [];
            return false;
        }
    }

    private static List<WireField> Items(byte[] packed, FieldDescriptor known)
    {
        var input = new CodedInputStream(packed);
        var items = new List<WireField>();
        var size = known.FieldType switch
        {
            FieldType.Double or FieldType.Fixed64 or FieldType.SFixed64 => 8,
            FieldType.Float or FieldType.Fixed32 or FieldType.SFixed32 => 4,
            _ => 0,
        };
        if (size > 0 && packed.Length % size != 0)
        {
            return [];
        }

        while (!input.IsAtEnd)
        {
            items.Add(size switch
            {
                8 => new WireField
                {
                    Number = known.FieldNumber,
                    Type = WireFormat.WireType.Fixed64,
                    Bytes = BitConverter.GetBytes(input.ReadFixed64()),
                },
                4 => new WireField
                {
                    Number = known.FieldNumber,
                    Type = WireFormat.WireType.Fixed32,
                    Bytes = BitConverter.GetBytes(input.ReadFixed32()),
                },
                _ => new WireField
                {
                    Number = known.FieldNumber,
                    Type = WireFormat.WireType.Varint,
                    Varint = input.ReadUInt64(),
                },
            });
        }

        return items;
    }

    private static bool IsNumber(FieldDescriptor field) =>
        field.FieldType is not (FieldType.String or FieldType.Bytes or FieldType.Message);

    private void Shuffle(List<WireField> fields)
    {
        for (var i = fields.Count - 1; i > 0; i--)
        {
            var j = choices.Next(i + 1);
            (fields[i], fields[j]) = (fields[j], fields[i]);
        }
    }

    // A number that the type does not have, or one that it has with another wire type.
    private WireField Unknown(MessageDescriptor type, int depth)
    {
        var known = type.Fields.InDeclarationOrder();
        var number = choices.OneIn(2) && known.Count > 0
            ? known[choices.Next(known.Count)].FieldNumber
            : choices.Of(1000, 15, 16, 2047, 2048, FarNumber, 128);
        var wireType = choices.Of(
            WireFormat.WireType.Varint, WireFormat.WireType.Fixed64, WireFormat.WireType.Fixed32,
            WireFormat.WireType.LengthDelimited, WireFormat.WireType.StartGroup);
        var field = new WireField { Number = number, Type = wireType, Varint = choices.Bits() };
        switch (wireType)
        {
            case WireFormat.WireType.Fixed64:
                field.Bytes = BitConverter.GetBytes(choices.Bits());
                break;
            case WireFormat.WireType.Fixed32:
                field.Bytes = BitConverter.GetBytes((uint)choices.Bits());
                break;
            case WireFormat.WireType.LengthDelimited:
                field.Bytes = new byte[choices.Next(4)];
                break;
            case WireFormat.WireType.StartGroup:
                field.Fields = [];
                for (var i = choices.Next(3); i > 0 && depth < 3; i--)
                {
                    field.Fields.Add(Unknown(type, depth + 1));
                }

                break;
        }

        return field;
    }

    private byte[] Spoil(byte[] bytes)
    {
        switch (choices.Next(8))
        {
            case 7 when bytes.Length > 0:
                return bytes[..choices.Next(bytes.Length)];
            case 6 when bytes.Length > 0:
                for (var i = choices.Next(3); i >= 0; i--)
                {
                    bytes[choices.Next(bytes.Length)] ^= (byte)(1 << choices.Next(8));
                }

                return bytes;
            case 5 when choices.OneIn(3):
                var at = choices.Next(bytes.Length + 1);
                return [.. bytes[..at], (byte)choices.Next(256), .. bytes[at..]];
            default:
                return bytes;
        }
    }
}
