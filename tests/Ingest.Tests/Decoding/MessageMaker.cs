using System.Collections;
using System.Text;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;

namespace Ingest.Tests.Decoding;

/// <summary>Makes messages of any type by decisions, with a liking for the edges of each kind of value.</summary>
internal sealed class MessageMaker(Choices choices)
{
    private const int MostDepth = 4;

    private static readonly string[] s_pieces =
        ["a", "b.c", "key", "é", "漢字", "😀", "\0", "\"", "\\", ".", "\u001f", "</x>", "driver_", "0", "zone"];

    // Half of the messages have every field, and values that no rule forbids.
    private readonly bool _isTame = choices.Next(2) == 1;

    public IMessage Make(MessageDescriptor type) => Make(type, 0);

    private IMessage Make(MessageDescriptor type, int depth)
    {
        var message = type.Parser.ParseFrom([]);
        if (message is Timestamp or Duration)
        {
            FillMoment(message);
            return message;
        }

        var few = type.Fields.InDeclarationOrder().Count > 20;
        foreach (var field in type.Fields.InDeclarationOrder())
        {
            var isRare = few || field.RealContainingOneof is not null;
            var skipped = _isTame ? depth > 0 && choices.OneIn(2) : choices.OneIn(4) != isRare;
            if (!skipped && (depth < MostDepth || field.FieldType != FieldType.Message))
            {
                Set(message, field, depth);
            }
        }

        return message;
    }

    private void Set(IMessage message, FieldDescriptor field, int depth)
    {
        if (field.IsMap)
        {
            var map = (IDictionary)field.Accessor.GetValue(message);
            var (key, value) = (field.MessageType.FindFieldByNumber(1), field.MessageType.FindFieldByNumber(2));
            for (var i = Count(); i > 0 && (depth < MostDepth - 1 || value.FieldType != FieldType.Message); i--)
            {
                map[Value(key, depth)] = Value(value, depth);
            }
        }
        else if (field.IsRepeated)
        {
            var list = (IList)field.Accessor.GetValue(message);
            for (var i = Count(); i > 0; i--)
            {
                list.Add(Value(field, depth));
            }
        }
        else
        {
            field.Accessor.SetValue(message, Value(field, depth));
        }
    }

    private int Count() => _isTame ? 1 + choices.Next(3) : choices.OneIn(12) ? choices.Next(40) : choices.Next(4);

    private object Value(FieldDescriptor field, int depth) => field.FieldType switch
    {
        FieldType.Double => Double(),
        FieldType.Float => (float)Double(),
        FieldType.Int32 or FieldType.SInt32 or FieldType.SFixed32 => (int)Integer(),
        FieldType.Int64 or FieldType.SInt64 or FieldType.SFixed64 => Integer(),
        FieldType.UInt32 or FieldType.Fixed32 => (uint)Integer(),
        FieldType.UInt64 or FieldType.Fixed64 => (ulong)Integer(),
        FieldType.Bool => choices.Next(2) == 1,
        FieldType.String => Text(),
        FieldType.Bytes => ByteString.CopyFrom(Bytes()),
        FieldType.Enum => System.Enum.ToObject(field.EnumType.ClrType, EnumNumber(field.EnumType)),
        _ => Make(field.MessageType, depth + 1),
    };

    private int EnumNumber(EnumDescriptor type) => _isTame ? 1 : choices.OneIn(6)
        ? (int)Integer()
        : type.Values[choices.Next(type.Values.Count)].Number;

    private long Integer() => _isTame ? 1 + choices.Next(1000) : choices.Next(8) switch
    {
        0 => 0,
        1 => 1,
        2 => -1,
        3 => choices.Of(int.MinValue, int.MaxValue, long.MinValue, long.MaxValue, uint.MaxValue, 127, 128, 16384),
        4 => (long)choices.Bits(),
        _ => choices.Next(1000),
    };

    private double Double() => _isTame ? 1 + (choices.Next(1000) / 1e3) : choices.Next(8) switch
    {
        0 => 0,
        1 => choices.Of(
            -0.0, double.NaN, double.PositiveInfinity, double.NegativeInfinity, double.MaxValue, double.Epsilon, 90,
            90.000001, -180, 1e21, 0.1),
        2 => BitConverter.UInt64BitsToDouble(choices.Bits()),
        _ => choices.Next(90_000_000) / 1e6,
    };

    private string Text()
    {
        var length = _isTame ? 1 + choices.Next(40) : choices.Next(12) switch
        {
            0 => 0,
            1 => choices.Of(15, 16, 17, 31, 32, 33, 255, 256, 257),
            _ => -1,
        };
        if (length >= 0)
        {
            return new string((char)('a' + choices.Next(3)), length);
        }

        var text = new StringBuilder();
        for (var i = choices.Next(5); i >= 0; i--)
        {
            text.Append(choices.Of(s_pieces));
        }

        return text.ToString();
    }

    private byte[] Bytes()
    {
        var bytes = new byte[choices.Next(_isTame ? 5 : 6)];
        foreach (ref var b in bytes.AsSpan())
        {
            b = (byte)choices.Next(256);
        }

        return bytes;
    }

    private void FillMoment(IMessage message)
    {
        var (seconds, nanos) = (_isTame ? 9 : choices.Next(10)) switch
        {
            0 => (choices.Of(-62_135_596_800L, 253_402_300_799, 0, 946_684_799, 946_684_800, -2_208_988_800), 0),
            1 => (Integer(), (int)Integer()),
            2 => (choices.Next(1000), choices.Of(-1, 1, 999_999_999, 1_000_000_000, 500_000, 1000)),
            _ => (1_700_000_000L + choices.Next(80_000_000), choices.Next(1_000_000_000)),
        };
        if (message is Timestamp timestamp)
        {
            (timestamp.Seconds, timestamp.Nanos) = (seconds, nanos);
        }
        else if (message is Duration duration)
        {
            (duration.Seconds, duration.Nanos) = (seconds, nanos);
        }
    }
}
