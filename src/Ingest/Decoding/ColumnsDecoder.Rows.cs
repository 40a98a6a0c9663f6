using Google.Protobuf.WellKnownTypes;
using Ingest.Columns;
using Ingest.Schema;

namespace Ingest.Decoding;

// A row in which a value may break a rule is written as the message that it stands for.
public sealed partial class ColumnsDecoder
{
    private const long MicrosPerSecond = 1_000_000;
    private const int NanosPerMicro = 1000;

    private RequestResult AppendRow(
        ReadOnlySpan<byte> message, ColumnsScratch scratch, Batch batch, int row, int firstIndex, long nowSeconds,
        List<RejectedRow> rejected)
    {
        RowBuffer buffer = scratch.Rows;
        buffer.BeginRow();
        WriteFields(_rows.Table.Fields, message, scratch, row, buffer);
        switch (_rows.TryAppend(buffer.Row, batch, nowSeconds, out RowFault fault))
        {
            case RowResult.Rejected:
                rejected.Add(new RejectedRow(firstIndex + row, buffer.Start, buffer.Row.Length, fault, buffer.Bytes));
                buffer.Keep();
                break;
            case RowResult.Malformed:
                return RequestResult.Malformed;
        }

        return RequestResult.Decoded;
    }

    // Values that are the default are left out, as protobuf does; a message is there when one of its columns is.
    private void WriteFields(
        IReadOnlyList<FieldNode> fields, ReadOnlySpan<byte> message, ColumnsScratch scratch, int row, RowBuffer buffer)
    {
        foreach (FieldNode node in fields)
        {
            if (node.Shape == FieldShape.Flattened)
            {
                if (IsThere(node, scratch))
                {
                    buffer.AddVarint(Wire.Tag(node.Field.FieldNumber, Wire.Len));
                    int before = buffer.Row.Length;
                    WriteFields(node.Children, message, scratch, row, buffer);
                    buffer.InsertLength(before);
                }
            }
            else if (node.Column >= 0 && _planOfColumn[node.Column] is { } plan && IsThere(node, scratch))
            {
                WriteField(plan, ref scratch.Data[plan.Index], message, scratch, row, buffer);
            }
        }
    }

    private bool IsThere(FieldNode node, ColumnsScratch scratch)
    {
        if (node.Shape != FieldShape.Flattened)
        {
            return node.Column >= 0 && _planOfColumn[node.Column] is { } plan && scratch.Data[plan.Index].Rows > 0;
        }

        foreach (FieldNode child in node.Children)
        {
            if (IsThere(child, scratch))
            {
                return true;
            }
        }

        return false;
    }

    private static void WriteField(
        ColumnPlan plan, ref ColumnData data, ReadOnlySpan<byte> message, ColumnsScratch scratch, int row,
        RowBuffer buffer)
    {
        int number = plan.Field.Node.Field.FieldNumber;
        switch (plan.Kind)
        {
            case ColumnKind.Fixed:
                ReadOnlySpan<byte> value =
                    scratch.Regions[plan.Slot].Of(message).Slice(row * plan.Width, plan.Width);
                if (value.ContainsAnyExcept((byte)0))
                {
                    buffer.AddVarint(Wire.Tag(number, plan.Width == sizeof(ulong) ? Wire.I64 : Wire.I32));
                    buffer.Add(value);
                }

                break;
            case ColumnKind.Varint:
                WriteVarint(number, (ulong)scratch.Longs(data.FirstLong, data.Rows)[row], buffer);
                break;
            case ColumnKind.Enum:
                WriteVarint(number, (ulong)scratch.Numbers(data.FirstNumber, data.Rows)[row], buffer);
                break;
            case ColumnKind.Timestamp:
                WriteTimestamp(number, scratch.Longs(data.FirstLong, data.Rows)[row], buffer);
                break;
            case ColumnKind.Text:
                ReadOnlySpan<byte> text = TextOf(data, message, scratch, row);
                if (!text.IsEmpty)
                {
                    WriteBytes(number, text, buffer);
                }

                break;
            case ColumnKind.TextList:
                for (int i = scratch.Numbers(data.FirstLength, data.Rows)[row]; i > 0; i--)
                {
                    WriteBytes(number, TextOf(data, message, scratch, data.NextItem++), buffer);
                }

                break;
            default:
                TextPlace place = scratch.Entries(data.FirstEntry, data.Rows)[row];
                WriteBytes(number, message.Slice(place.Start, place.Length), buffer);
                break;
        }
    }

    private static ReadOnlySpan<byte> TextOf(
        in ColumnData data, ReadOnlySpan<byte> message, ColumnsScratch scratch, int place)
    {
        int entry = data.FirstNumber < 0 ? place : scratch.Numbers(data.FirstNumber, data.TextCount)[place];
        TextPlace text = scratch.Entries(data.FirstEntry, data.EntryCount)[entry];
        return message.Slice(text.Start, text.Length);
    }

    private static void WriteVarint(int number, ulong value, RowBuffer buffer)
    {
        if (value != 0)
        {
            buffer.AddVarint(Wire.Tag(number, Wire.Varint));
            buffer.AddVarint(value);
        }
    }

    private static void WriteBytes(int number, ReadOnlySpan<byte> value, RowBuffer buffer)
    {
        buffer.AddVarint(Wire.Tag(number, Wire.Len));
        buffer.AddVarint((ulong)value.Length);
        buffer.Add(value);
    }

    private static void WriteTimestamp(int number, long micros, RowBuffer buffer)
    {
        (long seconds, long rest) = Math.DivRem(micros, MicrosPerSecond);
        if (rest < 0)
        {
            (seconds, rest) = (seconds - 1, rest + MicrosPerSecond);
        }

        buffer.AddVarint(Wire.Tag(number, Wire.Len));
        int before = buffer.Row.Length;
        WriteVarint(Timestamp.SecondsFieldNumber, (ulong)seconds, buffer);
        WriteVarint(Timestamp.NanosFieldNumber, (ulong)(rest * NanosPerMicro), buffer);
        buffer.InsertLength(before);
    }
}
