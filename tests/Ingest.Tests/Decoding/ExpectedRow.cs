using System.Collections;
using System.Globalization;
using System.Text;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using Ingest.Tests.Columns;
using Ingest.V1;
using Enum = System.Enum;

namespace Ingest.Tests.Decoding;

/// <summary>
/// What wire.md says a table's row is, worked out from a message that Google.Protobuf has parsed; and the faults that
/// it has. It shares nothing with the decoder.
/// </summary>
internal sealed class ExpectedRow
{
    private const int MaxNameBytes = 1024;

    private readonly long _now;

    public ExpectedRow(IMessage message, long nowSeconds)
    {
        _now = nowSeconds;
        AddFields(message, message.Descriptor, "", "", [message.Descriptor.FullName]);
    }

    public List<ExpectedCell> Cells { get; } = [];

    /// <summary>Field and code of each fault.</summary>
    public HashSet<(string Field, RowErrorCode Code)> Faults { get; } = [];

    /// <summary>Whether a struct's names, with those of their parents, are many times the struct.</summary>
    public bool MayHaveTooManyNames { get; private set; }

    private void AddFields(
        IMessage? message, MessageDescriptor type, string path, string prefix, HashSet<string> ancestors)
    {
        foreach (var field in type.Fields.InDeclarationOrder())
        {
            var options = field.GetOptions()?.GetExtension(OptionsExtensions.Column) ?? new ColumnOptions();
            if (!options.Skip)
            {
                var name = prefix + (options.Name.Length > 0 ? options.Name : field.Name);
                AddField(message, field, options.Rules, path + field.Name, name, ancestors);
            }
        }
    }

    private void AddField(
        IMessage? message, FieldDescriptor field, ColumnRules? rules, string path, string name,
        HashSet<string> ancestors)
    {
        var value = message is null ? null : field.Accessor.GetValue(message);
        if (message is not null)
        {
            AddFaults(message, field, value, rules, path);
        }

        if (field.IsMap)
        {
            Cells.Add(MapCell(field, (IDictionary?)value, path, name));
        }
        else if (field.IsRepeated)
        {
            Cells.Add(ListCell(field, (IList?)value, path, name));
        }
        else if (field.FieldType != FieldType.Message || IsMoment(field))
        {
            Cells.Add(new ExpectedCell(name, SingleCell(message, field, value)));
        }
        else if (field.MessageType == Struct.Descriptor)
        {
            Cells.Add(new ExpectedCell(name, StructCell((Struct?)value, path), Loose));
        }
        else if (field.MessageType == Value.Descriptor || field.MessageType == ListValue.Descriptor
            || ancestors.Contains(field.MessageType.FullName))
        {
            NoteTimes(value, path);
            Cells.Add(new ExpectedCell(name, value is null ? "''" : JsonValue.Of((IMessage)value), Json));
        }
        else
        {
            AddFields(
                (IMessage?)value, field.MessageType, path + ".", name + "_",
                [.. ancestors, field.MessageType.FullName]);
        }
    }

    private static bool IsMoment(FieldDescriptor field) => field.FieldType == FieldType.Message
        && (field.MessageType == Timestamp.Descriptor || field.MessageType == Duration.Descriptor);

    private static string SingleCell(IMessage? message, FieldDescriptor field, object? value)
    {
        var canBeNull = IsMoment(field)
            ? field.ToProto().Proto3Optional || field.RealContainingOneof is not null
            : field.HasPresence;
        return canBeNull && (message is null || !field.Accessor.HasValue(message))
            ? "NULL"
            : ScalarText(field, value);
    }

    private ExpectedCell ListCell(FieldDescriptor field, IList? list, string path, string name)
    {
        if (field.FieldType == FieldType.Message && !IsMoment(field))
        {
            foreach (var item in list ?? Array.Empty<object>())
            {
                NoteTimes(item, path);
            }

            return new ExpectedCell(name, list is null or [] ? "''" : JsonValue.List(list), Json);
        }

        foreach (var item in list ?? Array.Empty<object>())
        {
            NoteUnstorable(item, path);
        }

        var items = (list ?? Array.Empty<object>()).Cast<object>().Select(v => ScalarText(field, v));
        return new ExpectedCell(name, $"[{string.Join(",", items)}]");
    }

    private ExpectedCell MapCell(FieldDescriptor field, IDictionary? map, string path, string name)
    {
        var key = field.MessageType.FindFieldByNumber(1);
        var value = field.MessageType.FindFieldByNumber(2);
        var isJson = value.FieldType == FieldType.Message && !IsMoment(value);
        var pairs = new List<(string, string)>();
        foreach (DictionaryEntry entry in map ?? new Dictionary<string, string>())
        {
            if (isJson)
            {
                NoteTimes(entry.Value, path);
            }
            else
            {
                NoteUnstorable(entry.Value, path);
            }

            pairs.Add((
                ScalarText(key, entry.Key),
                isJson ? JsonValue.Of((IMessage)entry.Value!) : ScalarText(value, entry.Value)));
        }

        return new ExpectedCell(name, CellText.Map(pairs), isJson ? Json : null);
    }

    private string StructCell(Struct? value, string path)
    {
        var pairs = new List<(string Name, string Value)>();
        if (value is not null)
        {
            AddStruct(value, "", pairs);
        }

        if (pairs.Any(p => Encoding.UTF8.GetByteCount(p.Name) > MaxNameBytes))
        {
            Faults.Add((path, RowErrorCode.TooLong));
        }

        MayHaveTooManyNames |= value is not null
            && pairs.Sum(p => Encoding.UTF8.GetByteCount(p.Name)) > 7 * value.CalculateSize();
        return CellText.Map(pairs.Select(p => (CellText.String(p.Name), p.Value)));
    }

    private static void AddStruct(Struct value, string prefix, List<(string Name, string Value)> pairs)
    {
        foreach (var (key, member) in value.Fields)
        {
            if (member.KindCase == Value.KindOneofCase.StructValue)
            {
                AddStruct(member.StructValue, prefix + key + (key.Length + prefix.Length > 0 ? "." : ""), pairs);
                continue;
            }

            pairs.Add((prefix + key, member.KindCase switch
            {
                Value.KindOneofCase.NumberValue => Loose(
                    member.NumberValue.ToString("R", CultureInfo.InvariantCulture)),
                Value.KindOneofCase.StringValue => Loose(member.StringValue),
                Value.KindOneofCase.BoolValue => Loose(member.BoolValue ? "true" : "false"),
                Value.KindOneofCase.ListValue => JsonValue.Of(member.ListValue),
                Value.KindOneofCase.NullValue => Loose("null"),
                _ => Loose(""),
            }));
        }
    }

    /// <summary>
    /// A struct's text: JSON if it is some, as a string that happens to be JSON cannot be told from a list.
    /// </summary>
    private static string Loose(string text) => Loose(Encoding.UTF8.GetBytes(text));

    private static string Json(byte[] text) => text.Length == 0 ? "''" : JsonValue.Of(text);

    private static string Loose(byte[] text)
    {
        if (text is [(byte)'[' or (byte)'{' or (byte)'"', ..] or [(byte)'n', _, _, _])
        {
            try
            {
                return JsonValue.Of(text);
            }
            catch (System.Text.Json.JsonException)
            {
                // Text that only begins like JSON.
            }
        }

        return CellText.Bytes(text);
    }

    private static string ScalarText(FieldDescriptor field, object? value) => (field.FieldType, value) switch
    {
        (FieldType.Bool, _) => value is true ? "1" : "0",
        (FieldType.String, _) => CellText.String((string?)value ?? ""),
        (FieldType.Bytes, _) => CellText.Bytes(((ByteString?)value)?.ToByteArray() ?? []),
        (FieldType.Float, _) => CellText.Float((float?)value ?? 0),
        (FieldType.Double, _) => CellText.Double((double?)value ?? 0),
        (FieldType.Enum, _) => CellText.String(
            EnumText(field.EnumType, value is null ? 0 : Convert.ToInt32((Enum)value, CultureInfo.InvariantCulture))),
        (_, Timestamp time) => Micros(time.Seconds, time.Nanos),
        (_, Duration span) => Micros(span.Seconds, span.Nanos),
        _ => Convert.ToString(value ?? 0, CultureInfo.InvariantCulture)!,
    };

    private static string EnumText(EnumDescriptor type, int number)
    {
        if (type.Values.FirstOrDefault(v => v.Number == number) is not { } value)
        {
            return number.ToString(CultureInfo.InvariantCulture);
        }

        // The prefixes of the enums in the tests' protos.
        string[] prefixes =
            ["COLOR_", "ALIAS_", "TRIP_STAGE_", "TRAFFIC_DENSITY_", "ORDER_STATUS_"];
        var prefix = Array.Find(prefixes, p => value.Name.StartsWith(p, StringComparison.Ordinal)) ?? "";
        return value.Name == "COLOR_4" ? value.Name : value.Name[prefix.Length..];
    }

    private static string Micros(long seconds, int nanos) =>
        unchecked((seconds * 1_000_000) + (nanos / 1000)).ToString(CultureInfo.InvariantCulture);

    private void NoteUnstorable(object? value, string path)
    {
        if (value is Timestamp time && !TimestampRange.FitsColumn(time)
            || value is Duration span && !TimestampRange.Fits(span))
        {
            Faults.Add((path, RowErrorCode.OutOfRange));
        }
    }

    // In JSON a time is text from year 1 to 9999.
    private void NoteTimes(object? value, string path)
    {
        switch (value)
        {
            case Timestamp time when !TimestampRange.Fits(time):
            case Duration span when !TimestampRange.Fits(span):
                Faults.Add((path, RowErrorCode.OutOfRange));
                break;
            case IDictionary map:
                foreach (var item in map.Values)
                {
                    NoteTimes(item, path);
                }

                break;
            case IList list:
                foreach (var item in list)
                {
                    NoteTimes(item, path);
                }

                break;
            case IMessage message:
                foreach (var field in message.Descriptor.Fields.InDeclarationOrder())
                {
                    if (field.FieldType == FieldType.Message)
                    {
                        NoteTimes(field.Accessor.GetValue(message), path);
                    }
                }

                break;
        }
    }

    private void AddFaults(IMessage message, FieldDescriptor field, object? value, ColumnRules? rules, string path)
    {
        if (!field.IsRepeated)
        {
            NoteUnstorable(value, path);
        }

        if (rules is null)
        {
            return;
        }

        var isThere = field.HasPresence ? field.Accessor.HasValue(message) : !IsZero(value);
        if (rules.Required && (!isThere || value is "" or ByteString { Length: 0 }))
        {
            Faults.Add((path, RowErrorCode.Missing));
        }

        if (rules.MaxBytes > 0 && Size(value) > rules.MaxBytes)
        {
            Faults.Add((path, RowErrorCode.TooLong));
        }

        if ((!field.HasPresence || isThere) && value is double or float)
        {
            var number = Convert.ToDouble(value, CultureInfo.InvariantCulture);
            if ((rules.HasMin || rules.HasMax || rules.Finite)
                && (!double.IsFinite(number)
                    || (rules.HasMin && number < rules.Min) || (rules.HasMax && number > rules.Max)))
            {
                Faults.Add((path, RowErrorCode.OutOfRange));
            }
        }

        if (value is Timestamp time
            && ((rules.NotBefore is not null && time.Seconds < rules.NotBefore.Seconds)
                || (rules.AtMostAhead is not null && time.Seconds > _now + rules.AtMostAhead.Seconds)))
        {
            Faults.Add((path, RowErrorCode.OutOfRange));
        }
    }

    private static int Size(object? value) => value switch
    {
        string text => Encoding.UTF8.GetByteCount(text),
        ByteString bytes => bytes.Length,
        _ => 0,
    };

    private static bool IsZero(object? value) => value switch
    {
        null => true,
        string text => text.Length == 0,
        ByteString bytes => bytes.Length == 0,
        ICollection items => items.Count == 0,
        double number => BitConverter.DoubleToInt64Bits(number) == 0,
        float number => BitConverter.SingleToInt32Bits(number) == 0,
        bool flag => !flag,
        Enum number => Convert.ToInt32(number, CultureInfo.InvariantCulture) == 0,
        IMessage => false,
        _ => Convert.ToDecimal(value, CultureInfo.InvariantCulture) == 0,
    };
}
