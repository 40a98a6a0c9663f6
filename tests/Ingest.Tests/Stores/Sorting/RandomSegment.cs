using System.Text;
using Google.Protobuf.WellKnownTypes;
using Ingest.Schema;
using Ingest.Tests.Decoding;

namespace Ingest.Tests.Stores.Sorting;

/// <summary>A table of any columns and order, and blocks of it, as choices say.</summary>
/// <remarks>Writes the Native format from its description alone: it shares nothing with what writes the log.</remarks>
internal sealed class RandomSegment
{
    private const int MostRows = 120;

    private static readonly string[] s_texts = ["String", "LowCardinality(String)"];
    private static readonly string[] s_numbers = ["Int64", "UInt64", "Int32", "UInt32", "DateTime64(6, 'UTC')"];

    private static readonly string[] s_others =
    [
        "Bool", "Float32", "Float64", "Nullable(String)", "Nullable(Int64)", "LowCardinality(Nullable(String))",
        "LowCardinality(UInt64)", "Array(String)", "Array(LowCardinality(String))", "Array(Float64)",
        "Map(String, Int32)", "Map(LowCardinality(String), Float64)",
        "Map(LowCardinality(String), LowCardinality(Nullable(String)))",
    ];

    private readonly Choices _choices;
    private readonly List<(string Name, string Type)> _columns = [];
    private readonly int _texts; // How many different ones there are.
    private readonly int _jitter; // How far numbers go back.
    private long _next;

    public RandomSegment(Choices choices)
    {
        _choices = choices;
        _texts = choices.Of(1, 2, 7, 400);
        _jitter = choices.Of(1, 2, 20, 100_000);
        List<string> order = [.. Columns()];
        for (int i = choices.Next(4); i > 0; i--)
        {
            _columns.Insert(choices.Next(_columns.Count + 1), ($"more_{i}", choices.Of<string>(s_others)));
        }

        if (_columns.Count == 0)
        {
            _columns.Add(("only", choices.Of<string>(s_others)));
        }

        if (choices.OneIn(3))
        {
            order.Insert(choices.Next(order.Count + 1), choices.Of("received_at", "segment_id"));
        }

        Table = new TableSchema(
            "random", Struct.Descriptor,
            [.. _columns.Select(c => new ColumnSchema(c.Name, c.Type, "", "", c.Type))], order, "", 0);
        for (int i = choices.Next(4); i >= 0; i--)
        {
            Blocks.Add(Block(choices.OneIn(8) ? 0 : 1 + choices.Next(MostRows)));
        }
    }

    public TableSchema Table { get; }

    public List<byte[]> Blocks { get; } = [];

    /// <summary>Whether rows can be ordered by counting their keys.</summary>
    public bool IsOrderable { get; private set; }

    // Texts, and behind them perhaps a number, and seldom something behind that, or of another kind.
    private IEnumerable<string> Columns()
    {
        int texts = _choices.Of(1, 2, 3, 4, 0);
        bool hasNumber = !_choices.OneIn(4);
        bool hasMore = _choices.OneIn(8);
        IsOrderable = texts > 0 && !hasMore;
        for (int i = 0; i < texts; i++)
        {
            yield return Add($"text_{i}", _choices.Of<string>(s_texts));
        }

        if (hasNumber)
        {
            yield return Add("number", _choices.Of<string>(s_numbers));
        }

        if (hasMore)
        {
            yield return hasNumber
                ? Add("behind", _choices.Of("String", "Int64"))
                : Add("behind", _choices.Of("Bool", "Float64", "Array(String)"));
        }
    }

    private string Add(string name, string type)
    {
        _columns.Insert(_choices.Next(_columns.Count + 1), (name, type));
        return name;
    }

    private byte[] Block(int rows)
    {
        using var bytes = new MemoryStream();
        using var writer = new BinaryWriter(bytes);
        writer.Write7BitEncodedInt(_columns.Count);
        writer.Write7BitEncodedInt(rows);
        foreach ((string name, string type) in _columns)
        {
            writer.Write(name);
            writer.Write(type);
            if (rows > 0)
            {
                WritePrefix(writer, type);
                WriteValues(writer, type, rows);
            }
        }

        return bytes.ToArray();
    }

    private static void WritePrefix(BinaryWriter writer, string type)
    {
        foreach (string _ in type.Split("LowCardinality(").Skip(1))
        {
            writer.Write(1UL);
        }
    }

    private void WriteValues(BinaryWriter writer, string type, int rows)
    {
        if (rows == 0)
        {
            return;
        }

        if (Inside(type, "LowCardinality(") is { } key)
        {
            WriteDictionary(writer, Inside(key, "Nullable(") ?? key, rows);
        }
        else if (Inside(type, "Nullable(") is { } value)
        {
            writer.Write([.. Enumerable.Range(0, rows).Select(_ => (byte)_choices.Next(2))]);
            WriteValues(writer, value, rows);
        }
        else if (Inside(type, "Array(") is { } item)
        {
            WriteValues(writer, item, WriteEnds(writer, rows));
        }
        else if (Inside(type, "Map(") is { } pair)
        {
            int pairs = WriteEnds(writer, rows);
            string[] types = pair.Split(", ", 2);
            WriteValues(writer, types[0], pairs);
            WriteValues(writer, types[1], pairs);
        }
        else
        {
            for (int i = 0; i < rows; i++)
            {
                WriteOne(writer, type, _choices.Next(_texts));
            }
        }
    }

    // Its first key is the empty one, or stands for NULL; some keys no row has.
    private void WriteDictionary(BinaryWriter writer, string type, int rows)
    {
        int keys = 1 + _choices.Next(Math.Min(300, _texts + 1));
        int kind = _choices.Next(3);
        kind = keys > 256 ? Math.Max(1, kind) : kind;
        writer.Write((1UL << 9) | (ulong)kind);
        writer.Write((ulong)keys);
        int first = _choices.Next(_texts);
        for (int i = 0; i < keys; i++)
        {
            WriteOne(writer, type == "String" ? type : "key", i == 0 ? 0 : 1 + first + i);
        }

        writer.Write((ulong)rows);
        for (int i = 0; i < rows; i++)
        {
            writer.Write(BitConverter.GetBytes(_choices.Next(keys)).AsSpan(0, 1 << kind));
        }
    }

    private int WriteEnds(BinaryWriter writer, int rows)
    {
        int end = 0;
        for (int i = 0; i < rows; i++)
        {
            end += _choices.Of(0, 0, 1, 2, 5);
            writer.Write((ulong)end);
        }

        return end;
    }

    private void WriteOne(BinaryWriter writer, string type, int number)
    {
        switch (type)
        {
            case "String":
                byte[] text = Text(number);
                writer.Write7BitEncodedInt(text.Length);
                writer.Write(text);
                break;
            case "key":
                writer.Write((ulong)number);
                break;
            case "Bool":
                writer.Write((byte)_choices.Next(2));
                break;
            case "Float32":
                writer.Write(_choices.Of(0f, -0f, 1.5f, float.NaN, float.NegativeInfinity, float.Epsilon));
                break;
            case "Float64":
                writer.Write(_choices.Of(0, -0.0, -2.25, double.NaN, double.PositiveInfinity, double.Epsilon));
                break;
            case "Int32" or "UInt32":
                writer.Write((int)Number());
                break;
            default:
                writer.Write(Number());
                break;
        }
    }

    // The empty one, those that others begin with, bytes that are no UTF-8, and long ones.
    private static byte[] Text(int number) => number switch
    {
        0 => [],
        1 => [0],
        2 => [0, 0],
        3 => [0xff, 0x80],
        4 => Encoding.UTF8.GetBytes("ä"),
        _ when number % 50 == 5 => Encoding.UTF8.GetBytes(new string('x', 100 + number)),
        _ => Encoding.UTF8.GetBytes(new string('k', number % 12) + number),
    };

    private long Number() => _choices.Next(30) switch
    {
        28 => _choices.Of(long.MinValue, long.MaxValue, int.MinValue, int.MaxValue),
        29 => _choices.Of(0, -1),
        _ => ++_next - _choices.Next(_jitter),
    };

    private static string? Inside(string type, string opening) =>
        type.StartsWith(opening, StringComparison.Ordinal) ? type[opening.Length..^1] : null;
}
