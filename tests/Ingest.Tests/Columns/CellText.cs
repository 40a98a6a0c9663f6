using System.Globalization;
using System.Text;

namespace Ingest.Tests.Columns;

/// <summary>One text for each value, so that values from different sources can be compared.</summary>
internal static class CellText
{
    /// <summary>Text of a value as <see cref="NativeBlockReader"/> has it.</summary>
    /// <param name="value">The value.</param>
    /// <param name="text">How the strings that are values, not keys, are told.</param>
    public static string Of(object? value, Func<byte[], string> text) => value switch
    {
        null => "NULL",
        byte[] bytes => text(bytes),
        float number => Float(number),
        double number => Double(number),
        List<object?> list => $"[{string.Join(",", list.Select(v => Of(v, text)))}]",
        List<(object? Key, object? Value)> map =>
            Map(map.Select(p => (Of(p.Key, Bytes), Of(p.Value, text)))),
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => throw new ArgumentException(value.GetType().Name),
    };

    /// <summary>Text of a value whose strings are told byte by byte.</summary>
    public static string Of(object? value) => Of(value, Bytes);

    public static string Map(IEnumerable<(string Key, string Value)> pairs) =>
        $"{{{string.Join(",", pairs.Select(p => $"{p.Key}:{p.Value}").Order(StringComparer.Ordinal))}}}";

    public static string Bytes(byte[] bytes) => $"'{Encoding.Latin1.GetString(bytes)}'";

    public static string String(string text) => Bytes(Encoding.UTF8.GetBytes(text));

    // By bits: 0 and -0 differ, NaN equals itself.
    public static string Float(float number) => $"f{BitConverter.SingleToInt32Bits(number):x8}";

    public static string Double(double number) => $"d{BitConverter.DoubleToInt64Bits(number):x16}";
}
