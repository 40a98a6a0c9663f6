using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using Ingest.Columns;
using Ingest.Schema;

namespace Ingest.Decoding;

/// <summary>Makes the message of a row again from its columns: what <see cref="RowDecoder"/> does, backwards.</summary>
/// <remarks>
/// <para>
/// The message is not the bytes that came but one whose columns are the same. What the columns do not have is lost:
/// fields that are left out of the table, parts of a microsecond, which of a struct's values were numbers.
/// </para>
/// <para>Cold: for the few rows that a store refuses.</para>
/// </remarks>
internal sealed class RowEncoder(TableSchema table)
{
    private readonly RowDecoder _decoder = new(table);
    private readonly JsonParser _json = new(JsonParser.Settings.Default.WithIgnoreUnknownFields(true));

    /// <summary>Makes the message of a row; false when the table would not take it as a row.</summary>
    /// <param name="block">The block with the row.</param>
    /// <param name="row">Its place.</param>
    /// <param name="message">The serialized message.</param>
    public bool TryEncode(BlockContent block, int row, [NotNullWhen(true)] out byte[]? message)
    {
        // A message without what is 0 or empty says the same, unless a rule asks for it.
        message = Encode(block, row, withDefaults: false);
        if (message is null || IsAccepted(message))
        {
            return message is not null;
        }

        message = Encode(block, row, withDefaults: true);
        return message is not null && IsAccepted(message);
    }

    // The clock was looked at when the row came.
    private bool IsAccepted(byte[] message) =>
        _decoder.TryAppend(message, new Batch(table), long.MaxValue / 2, out _) == RowResult.Accepted;

    /// <summary>Makes the message of a row, with or without what is 0 or empty; null when none can be made.</summary>
    public byte[]? Encode(BlockContent block, int row, bool withDefaults)
    {
        try
        {
            return Message(output =>
            {
                foreach (FieldNode node in table.Fields)
                {
                    Write(output, node, block, row, withDefaults);
                }
            });
        }
        catch (Exception e) when (e is InvalidProtocolBufferException or JsonException or FormatException)
        {
            return null;
        }
    }

    private void Write(CodedOutputStream output, FieldNode node, BlockContent block, int row, bool withDefaults)
    {
        int number = node.Field.FieldNumber;
        if (node.Shape == FieldShape.Flattened)
        {
            byte[] nested = Message(inner =>
            {
                foreach (FieldNode child in node.Children)
                {
                    Write(inner, child, block, row, withDefaults);
                }
            });
            if (nested.Length > 0 || withDefaults)
            {
                WriteBytes(output, number, nested);
            }

            return;
        }

        // A block that was written before the column was added does not have it.
        if (node.Column < 0 || block.Find(table.Columns[node.Column].Name) is not { } values)
        {
            return;
        }

        switch (node.Shape)
        {
            case FieldShape.Optional when values.IsNull(row):
                break;
            case FieldShape.Optional:
                WriteValue(output, number, node, node.Kind, values.Value(row));
                break;
            case FieldShape.Single:
                WriteSingle(output, node, values.Value(row), withDefaults);
                break;
            case FieldShape.JsonObject when values.Value(row).Length > 0:
                WriteBytes(output, number, Parse(values.Value(row), node.Field.MessageType));
                break;
            case FieldShape.JsonArray when values.Value(row).Length > 0:
                WriteJsonItems(output, node, values.Value(row));
                break;
            case FieldShape.Struct:
                WriteStruct(output, node, (ListValues)values, row, withDefaults);
                break;
            case FieldShape.Repeated or FieldShape.Map:
                WriteList(output, node, (ListValues)values, row);
                break;
        }
    }

    private void WriteSingle(CodedOutputStream output, FieldNode node, ReadOnlySpan<byte> value, bool withDefaults)
    {
        bool isDefault = node.Kind switch
        {
            ValueKind.Enum => EnumNumber(node.Field.EnumType, value) == 0,
            ValueKind.String or ValueKind.Bytes => value.IsEmpty,
            _ => !value.ContainsAnyExcept((byte)0),
        };
        if (!isDefault || withDefaults)
        {
            WriteValue(output, node.Field.FieldNumber, node, node.Kind, value);
        }
    }

    private void WriteList(CodedOutputStream output, FieldNode node, ListValues list, int row)
    {
        int number = node.Field.FieldNumber;
        (int first, int end) = list.Range(row);
        for (int i = first; i < end; i++)
        {
            int item = i;
            if (node.Shape == FieldShape.Repeated)
            {
                WriteValue(output, number, node, node.Kind, list.Items.Value(item));
                continue;
            }

            WriteBytes(output, number, Message(entry =>
            {
                WriteValue(entry, 1, node, node.KeyKind, list.Items.Value(item));
                WriteValue(entry, 2, node, node.Kind, list.Values!.Value(item));
            }));
        }
    }

    // Every value as text: what the column has.
    private static void WriteStruct(
        CodedOutputStream output, FieldNode node, ListValues list, int row, bool withDefaults)
    {
        (int first, int end) = list.Range(row);
        if (first == end && !withDefaults)
        {
            return;
        }

        WriteBytes(output, node.Field.FieldNumber, Message(entries =>
        {
            for (int i = first; i < end; i++)
            {
                int item = i;
                WriteBytes(entries, Struct.FieldsFieldNumber, Message(entry =>
                {
                    WriteBytes(entry, 1, list.Items.Value(item));
                    WriteBytes(entry, 2, Message(
                        value => WriteBytes(value, Value.StringValueFieldNumber, list.Values!.Value(item))));
                }));
            }
        }));
    }

    private void WriteJsonItems(CodedOutputStream output, FieldNode node, ReadOnlySpan<byte> json)
    {
        using JsonDocument items = JsonDocument.Parse(json.ToArray());
        foreach (JsonElement item in items.RootElement.EnumerateArray())
        {
            WriteBytes(
                output, node.Field.FieldNumber,
                Parse(Encoding.UTF8.GetBytes(item.GetRawText()), node.Field.MessageType));
        }
    }

    // A type of which no code was generated has no parser: such a row is kept as a block.
    private byte[] Parse(ReadOnlySpan<byte> json, MessageDescriptor type) => type.Parser is null
        ? throw new FormatException($"{type.FullName} has no parser")
        : _json.Parse(Encoding.UTF8.GetString(json), type).ToByteArray();

    private void WriteValue(
        CodedOutputStream output, int number, FieldNode node, ValueKind kind, ReadOnlySpan<byte> value)
    {
        switch (kind)
        {
            case ValueKind.String or ValueKind.Bytes:
                WriteBytes(output, number, value);
                return;
            case ValueKind.Message:
                WriteBytes(output, number, value.IsEmpty ? [] : Parse(value, ValueField(node).MessageType));
                return;
            case ValueKind.Timestamp or ValueKind.Duration:
                WriteBytes(output, number, Moment(BinaryPrimitives.ReadInt64LittleEndian(value), kind));
                return;
            case ValueKind.Enum:
                output.WriteTag(number, WireFormat.WireType.Varint);
                output.WriteInt32(EnumNumber(ValueField(node).EnumType, value));
                return;
            case ValueKind.Fixed32 or ValueKind.SFixed32 or ValueKind.Float:
                output.WriteTag(number, WireFormat.WireType.Fixed32);
                output.WriteFixed32(BinaryPrimitives.ReadUInt32LittleEndian(value));
                return;
            case ValueKind.Fixed64 or ValueKind.SFixed64 or ValueKind.Double:
                output.WriteTag(number, WireFormat.WireType.Fixed64);
                output.WriteFixed64(BinaryPrimitives.ReadUInt64LittleEndian(value));
                return;
        }

        output.WriteTag(number, WireFormat.WireType.Varint);
        output.WriteUInt64(kind switch
        {
            ValueKind.Bool => value[0],
            ValueKind.Int32 => (ulong)BinaryPrimitives.ReadInt32LittleEndian(value),
            ValueKind.UInt32 => BinaryPrimitives.ReadUInt32LittleEndian(value),
            ValueKind.SInt32 => ZigZag(BinaryPrimitives.ReadInt32LittleEndian(value)),
            ValueKind.SInt64 => ZigZag(BinaryPrimitives.ReadInt64LittleEndian(value)),
            _ => BinaryPrimitives.ReadUInt64LittleEndian(value),
        });
    }

    private static FieldDescriptor ValueField(FieldNode node) =>
        node.Shape == FieldShape.Map ? node.Field.MessageType.FindFieldByNumber(2) : node.Field;

    private static byte[] Moment(long micros, ValueKind kind)
    {
        const long second = 1_000_000;
        long seconds = kind == ValueKind.Timestamp ? (long)Math.Floor(micros / (decimal)second) : micros / second;
        int nanos = (int)((micros - (seconds * second)) * 1000);
        return Message(output =>
        {
            output.WriteTag(1, WireFormat.WireType.Varint);
            output.WriteInt64(seconds);
            output.WriteTag(2, WireFormat.WireType.Varint);
            output.WriteInt32(nanos);
        });
    }

    private static int EnumNumber(EnumDescriptor type, ReadOnlySpan<byte> name)
    {
        string text = Encoding.UTF8.GetString(name);
        return type.Values.FirstOrDefault(value => TypeNames.OfEnumValue(type, value) == text)?.Number
            ?? int.Parse(text, CultureInfo.InvariantCulture);
    }

    private static ulong ZigZag(long value) => (ulong)((value << 1) ^ (value >> 63));

    private static void WriteBytes(CodedOutputStream output, int number, ReadOnlySpan<byte> bytes)
    {
        output.WriteTag(number, WireFormat.WireType.LengthDelimited);
        output.WriteBytes(ByteString.CopyFrom(bytes));
    }

    private static byte[] Message(Action<CodedOutputStream> write)
    {
        using var bytes = new MemoryStream();
        using (var output = new CodedOutputStream(bytes, leaveOpen: true))
        {
            write(output);
        }

        return bytes.ToArray();
    }
}
