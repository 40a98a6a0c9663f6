using System.Buffers.Text;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;

namespace Ingest.Cli.Binding;

/// <summary>Reads values of fields from text.</summary>
internal static class FieldText
{
    /// <summary>Reads a finite number; blanks around it do not count.</summary>
    public static bool TryNumber(ReadOnlySpan<byte> text, out double value)
    {
        text = text.Trim((byte)' ');
        return Utf8Parser.TryParse(text, out value, out var used) && used == text.Length && double.IsFinite(value);
    }

    /// <summary>
    /// Reads an enum value: its number, or its name with the enum's prefix or without, in any case
    /// (<c>TRIP_STAGE_TO_PICKUP</c>, <c>to_pickup</c>).
    /// </summary>
    public static bool TryEnum(EnumDescriptor descriptor, string text, out int number)
    {
        if (int.TryParse(text, out number))
        {
            return descriptor.FindValueByNumber(number) is not null;
        }
        foreach (var value in descriptor.Values)
        {
            if (value.Name.EndsWith(text, StringComparison.OrdinalIgnoreCase)
                && (value.Name.Length == text.Length || IsPrefix(descriptor, value.Name.AsSpan(..^text.Length))))
            {
                number = value.Number;
                return true;
            }
        }
        number = 0;
        return false;
    }

    /// <summary>A property as the text suggests: number, boolean, else text; `007` is no number.</summary>
    public static void SetValue(Value target, ReadOnlySpan<byte> text, string asText)
    {
        if (LooksLikeNumber(text) && TryNumber(text, out var number))
        {
            target.NumberValue = number;
        }
        else if (asText is "true" or "false")
        {
            target.BoolValue = asText == "true";
        }
        else
        {
            target.StringValue = asText;
        }
    }

    private static bool LooksLikeNumber(ReadOnlySpan<byte> text)
    {
        var digits = text.StartsWith("-"u8) ? text[1..] : text;
        return !digits.IsEmpty && digits[0] is >= (byte)'0' and <= (byte)'9'
            && (digits.Length == 1 || digits[0] != '0' || digits[1] is (byte)'.' or (byte)'e' or (byte)'E');
    }

    // TripStage's values begin with TRIP_STAGE_.
    private static bool IsPrefix(EnumDescriptor descriptor, ReadOnlySpan<char> start)
    {
        var name = descriptor.Name.AsSpan();
        foreach (var c in start)
        {
            if (c == '_')
            {
                continue;
            }
            if (name.IsEmpty || char.ToUpperInvariant(name[0]) != c)
            {
                return false;
            }
            name = name[1..];
        }
        return name.IsEmpty;
    }
}
