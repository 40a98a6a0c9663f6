using System.Text;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Ingest.V1;

namespace Ingest.Tests.Decoding;

/// <summary>
/// Makes requests with rows as columns by decisions: good ones, ones with bad rows, ones that do not fit together, in
/// all ways that the wire has for the same message, and spoilt ones.
/// </summary>
internal sealed class ColumnsMaker(Choices choices)
{
    private const int RowCountNumber = 1;
    private const int RequestColumnsNumber = 2;

    private static readonly byte[][] s_good =
    [
        .. new[] { "driver_1", "driver_22", "é漢😀", "x", "a-name-of-more-than-thirty-two-bytes-like-a-uuid", "0" }
            .Select(Encoding.UTF8.GetBytes),
        "123e4567-e89b-12d3-a456-426614174000"u8.ToArray(), Encoding.ASCII.GetBytes(new string('u', 64)),
        Encoding.ASCII.GetBytes(new string('y', 256)), Encoding.ASCII.GetBytes(new string('z', 130)),
    ];

    private static readonly byte[][] s_bad =
        [[], [0xff], [0xc3], [.. Enumerable.Repeat((byte)'w', 257)], [0x61, 0xed, 0xa0, 0x80]];

    private bool _isTame;
    private int _rows;

    /// <summary>A request of the table, <c>StreamGpsPointsRequest</c> or <c>StreamEventsRequest</c>.</summary>
    public byte[] Request(string table)
    {
        _isTame = choices.Next(2) == 1;
        _rows = choices.OneIn(10) ? choices.Next(3) : choices.Next(70);
        List<WireField> fields = [Varint(RowCountNumber, (ulong)(IsRare(20) ? _rows + choices.Next(2) : _rows))];
        fields.AddRange(table == nameof(GpsPoint) ? Points() : Events());
        if (choices.OneIn(2))
        {
            fields = Scatter(fields, 0);
        }
        else if (choices.OneIn(2))
        {
            // Any of them may be what the request ends with.
            int first = choices.Next(fields.Count);
            fields = [.. fields[first..], .. fields[..first]];
        }

        int cut = choices.OneIn(5) ? choices.Next(fields.Count + 1) : fields.Count;
        List<WireField> request = [Message(RequestColumnsNumber, fields[..cut])];
        if (cut < fields.Count)
        {
            request.Add(Message(RequestColumnsNumber, fields[cut..]));
        }

        return choices.OneIn(5) ? Spoil(WireField.Write(request)) : WireField.Write(request);
    }

    private IEnumerable<WireField> Points() =>
    [
        .. Text(GpsPointColumns.DriverIdFieldNumber, isRequired: true),
        .. Text(GpsPointColumns.OrderIdFieldNumber),
        .. Numbers(GpsPointColumns.LocationLatFieldNumber, isRequired: true, () => Coordinate(90)),
        .. Numbers(GpsPointColumns.LocationLonFieldNumber, isRequired: false, () => Coordinate(180)),
        .. Numbers(GpsPointColumns.SpeedKphFieldNumber, isRequired: false, Speed),
        .. Numbers(GpsPointColumns.TripStageFieldNumber, isRequired: false, Enum),
        .. Numbers(GpsPointColumns.TrafficDensityFieldNumber, isRequired: false, Enum),
        .. Text(GpsPointColumns.ZoneTypeFieldNumber),
        .. Timestamp(GpsPointColumns.TimestampFieldNumber),
        .. Lists(GpsPointColumns.AnomalyFlagsFieldNumber),
    ];

    private IEnumerable<WireField> Events() =>
    [
        .. Text(EventColumns.EventIdFieldNumber),
        .. Text(EventColumns.EventTypeFieldNumber, isRequired: true),
        .. Text(EventColumns.EntityTypeFieldNumber, isRequired: true),
        .. Text(EventColumns.EntityIdFieldNumber, isRequired: true),
        .. Timestamp(EventColumns.TimestampFieldNumber),
        .. Structs(EventColumns.PropertiesFieldNumber),
    ];

    private bool IsRare(int times) => !_isTame && choices.OneIn(times);

    private bool IsLeftOut(bool isRequired) => isRequired ? IsRare(30) : choices.OneIn(5);

    private int Count() => IsRare(60) ? Math.Max(0, _rows - 1 + choices.Next(3)) : _rows;

    private byte[] Coordinate(double limit) => BitConverter.GetBytes(IsRare(100)
        ? choices.Of(limit + 1e-9, -limit - 1, double.NaN, double.PositiveInfinity, double.NegativeInfinity)
        : choices.Of(0, -0.0, limit, -limit, 1.5, -46.63, double.Epsilon));

    private byte[] Speed() => BitConverter.GetBytes(IsRare(100)
        ? choices.Of(-1f, -float.Epsilon, float.NaN, float.PositiveInfinity)
        : choices.Of(0f, -0f, 42.5f, float.MaxValue, float.Epsilon));

    private byte[] Enum() => VarintBytes(choices.Of<ulong>(0, 1, 2, 3, 4, 5, 5, 4, 3, 77, 300, ulong.MaxValue));

    private byte[] Bytes() => IsRare(100) ? s_bad[choices.Next(s_bad.Length)] : s_good[choices.Next(s_good.Length)];

    private IEnumerable<WireField> Numbers(int number, bool isRequired, Func<byte[]> make) => IsLeftOut(isRequired)
        ? []
        : [Packed(number, Enumerable.Range(0, Count()).Select(_ => make()))];

    private IEnumerable<WireField> Text(int number, bool isRequired = false) =>
        IsLeftOut(isRequired) ? [] : [Message(number, TextFields(Count()))];

    private List<WireField> TextFields(int count)
    {
        var fields = new List<WireField>();
        if (choices.OneIn(3))
        {
            byte[]? one = choices.OneIn(4) ? Bytes() : null;
            fields.AddRange(Enumerable.Range(0, count).Select(_ => Leaf(StringColumn.ValuesFieldNumber, one ?? Bytes())));
            if (IsRare(60))
            {
                fields.Add(Leaf(StringColumn.DictionaryFieldNumber, Bytes()));
            }

            return fields;
        }

        // Dictionaries of more than 128 strings have indexes of two bytes.
        int size = choices.OneIn(4) ? 130 + choices.Next(200) : 1 + choices.Next(8);
        fields.AddRange(Enumerable.Range(0, size).Select(_ => Leaf(StringColumn.DictionaryFieldNumber, Bytes())));
        int limit = IsRare(60) ? size + 1 : size;
        bool isFar = choices.OneIn(3);
        fields.Add(Packed(
            StringColumn.IndexesFieldNumber,
            Enumerable.Range(0, count)
                .Select(_ => VarintBytes((ulong)(isFar ? limit - 1 - choices.Next(Math.Min(limit, 5)) : choices.Next(limit))))));
        return fields;
    }

    private IEnumerable<WireField> Lists(int number)
    {
        if (IsLeftOut(isRequired: false))
        {
            return [];
        }

        int[] lengths = [.. Enumerable.Range(0, Count()).Select(_ => choices.OneIn(3) ? choices.Next(4) : 0)];
        return
        [
            Message(number,
            [
                Packed(StringListColumn.LengthsFieldNumber, lengths.Select(l => VarintBytes((ulong)l))),
                Message(StringListColumn.ItemsFieldNumber, TextFields(lengths.Sum() + (IsRare(60) ? 1 : 0))),
            ]),
        ];
    }

    private IEnumerable<WireField> Timestamp(int number)
    {
        if (IsLeftOut(isRequired: true))
        {
            return [];
        }

        long first = IsRare(60) ? choices.Of(0, long.MaxValue, -1L) : (Rows.Now - 5000) * 1_000_000;
        var fields = new List<WireField>
        {
            new()
            {
                Number = TimestampColumn.FirstMicrosFieldNumber,
                Type = WireFormat.WireType.Fixed64,
                Bytes = BitConverter.GetBytes(first),
            },
        };
        int deltas = Math.Max(0, Count() - 1);

        // Runs of differences of one byte, or two, are read together.
        Func<ulong> delta = choices.Of(Delta, () => (ulong)choices.Next(128), () => (ulong)(128 + choices.Next(16256)));
        fields.Add(Packed(
            TimestampColumn.DeltaMicrosFieldNumber, Enumerable.Range(0, deltas).Select(_ => VarintBytes(delta()))));
        return [Message(number, fields)];
    }

    private ulong Delta()
    {
        long delta = IsRare(100)
            ? choices.Of(long.MaxValue, long.MinValue, 90_000_000_000, -1_000_000_000_000_000)
            : choices.Of<long>(0, 1, -1, 200_000, 1_000_000, -63, 64, 8191, -3_000_000);
        return (ulong)((delta << 1) ^ (delta >> 63));
    }

    private IEnumerable<WireField> Structs(int number)
    {
        if (IsLeftOut(isRequired: false))
        {
            return [];
        }

        var maker = new MessageMaker(choices);
        return Enumerable.Range(0, Count()).Select(_ =>
        {
            byte[] bytes = choices.OneIn(3) ? maker.Make(Struct.Descriptor).ToByteArray() : [];
            return Leaf(number, bytes);
        });
    }

    // The same message otherwise: lists in pieces, messages in two, fields among each other, unknown ones between.
    private List<WireField> Scatter(List<WireField> fields, int depth)
    {
        var pieces = new List<WireField>();
        foreach (WireField field in fields)
        {
            if (field.Fields is { } nested)
            {
                nested = Scatter(nested, depth + 1);
                int cut = choices.OneIn(2) ? choices.Next(nested.Count + 1) : nested.Count;
                pieces.Add(Message(field.Number, nested[..cut]));
                if (cut < nested.Count)
                {
                    pieces.Add(Message(field.Number, nested[cut..]));
                }
            }
            else if (field.Items is { } items)
            {
                int single = choices.OneIn(4) ? items.Count : 0;
                pieces.AddRange(items[..single].Select(item => Single(field.Number, item)));
                int cut = choices.Next(items.Count - single + 1) + single;
                pieces.Add(Packed(field.Number, items[single..cut]));
                pieces.Add(Packed(field.Number, items[cut..]));
            }
            else
            {
                pieces.Add(field);
            }
        }

        // Fields of one number keep their order.
        var queues = pieces.GroupBy(p => p.Number).Select(g => new Queue<WireField>(g)).ToList();
        var mixed = new List<WireField>();
        while (queues.Count > 0)
        {
            int i = choices.Next(queues.Count);
            mixed.Add(queues[i].Dequeue());
            if (queues[i].Count == 0)
            {
                queues.RemoveAt(i);
            }

            if (choices.OneIn(30))
            {
                mixed.Add(choices.Of(
                    Varint(500, 3), Leaf(77, [1, 2, 3]), new WireField
                    {
                        Number = 15,
                        Type = WireFormat.WireType.StartGroup,
                        Fields = [Varint(2, 1)],
                    }));
            }
        }

        return mixed;
    }

    private byte[] Spoil(byte[] bytes)
    {
        int at = choices.Next(bytes.Length);
        switch (choices.Next(4))
        {
            case 1:
                return bytes[..at];
            case 2:
                return [.. bytes[..at], (byte)choices.Next(256), .. bytes[at..]];
            case 3:
                bytes[at] ^= (byte)(1 << choices.Next(8));
                return bytes;
            default:
                bytes[choices.Next(Math.Min(bytes.Length, 40))] = (byte)choices.Next(256);
                return bytes;
        }
    }

    private static byte[] VarintBytes(ulong value)
    {
        var output = new MemoryStream();
        WireField.WriteVarint(output, value, padding: 0);
        return output.ToArray();
    }

    private static WireField Varint(int number, ulong value) =>
        new() { Number = number, Type = WireFormat.WireType.Varint, Varint = value };

    private static WireField Leaf(int number, byte[] bytes) =>
        new() { Number = number, Type = WireFormat.WireType.LengthDelimited, Bytes = bytes };

    private static WireField Message(int number, List<WireField> fields) =>
        new() { Number = number, Type = WireFormat.WireType.LengthDelimited, Fields = fields };

    private static WireField Packed(int number, IEnumerable<byte[]> items)
    {
        List<byte[]> list = [.. items];
        return new()
        {
            Number = number,
            Type = WireFormat.WireType.LengthDelimited,
            Bytes = [.. list.SelectMany(i => i)],
            Items = list,
        };
    }

    // A number on its own: eight or four bytes, or a varint.
    private static WireField Single(int number, byte[] item) => number switch
    {
        GpsPointColumns.LocationLatFieldNumber or GpsPointColumns.LocationLonFieldNumber when item.Length == 8 =>
            new() { Number = number, Type = WireFormat.WireType.Fixed64, Bytes = item },
        GpsPointColumns.SpeedKphFieldNumber when item.Length == 4 =>
            new() { Number = number, Type = WireFormat.WireType.Fixed32, Bytes = item },
        _ => Varint(number, new CodedInputStream(item).ReadUInt64()),
    };
}
