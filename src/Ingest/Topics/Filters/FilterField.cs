using System.Globalization;
using System.Text;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using Ingest.Decoding;
using Ingest.Schema;
using Ingest.V1;

namespace Ingest.Topics.Filters;

/// <summary>A field that a condition names by its path in a payload, and the conditions that it can have.</summary>
internal sealed class FilterField
{
    private readonly string _path;
    private readonly FieldStep[] _steps;
    private readonly FieldDescriptor? _field;
    private readonly byte[][]? _names;

    private FilterField(string path, FieldStep[] steps, FieldDescriptor? field, byte[][]? names) =>
        (_path, _steps, _field, _names) = (path, steps, field, names);

    private ValueKind Kind => TypeNames.KindOf(_field!);

    /// <summary>Finds a field.</summary>
    /// <param name="payload">The payload's message.</param>
    /// <param name="path">Names with dots between them, as in the schema or as JSON has them.</param>
    /// <exception cref="FilterFault">There is none.</exception>
    public static FilterField Find(MessageDescriptor payload, string path)
    {
        string[] tokens = path.Split('.');
        if (tokens.Contains(""))
        {
            throw new FilterFault($"'{path}' is no path of a field: names with dots between them are.");
        }

        var steps = new List<FieldStep>();
        MessageDescriptor message = payload;
        FieldDescriptor? field = null;
        for (int i = 0; i < tokens.Length; i++)
        {
            if (message.FullName == Struct.Descriptor.FullName)
            {
                return new FilterField(path, [.. steps], null, [.. tokens[i..].Select(Encoding.UTF8.GetBytes)]);
            }

            field = message.Fields.InDeclarationOrder().FirstOrDefault(
                f => f.Name == tokens[i] || f.JsonName == tokens[i])
                ?? throw new FilterFault(
                    $"{message.Name} has no field '{tokens[i]}'; it has "
                    + $"{string.Join(", ", message.Fields.InDeclarationOrder().Select(f => f.Name))}.",
                    isUnknownField: true);
            if (field.IsMap)
            {
                throw new FilterFault($"'{path}' is a map, which no condition can look into.");
            }

            steps.Add(FieldStep.Of(field));
            if (i == tokens.Length - 1)
            {
                break;
            }

            message = TypeNames.KindOf(field) == ValueKind.Message
                ? field.MessageType
                : throw new FilterFault(
                    $"'{string.Join('.', tokens[..(i + 1)])}' is no message, so it has no '{tokens[i + 1]}'.");
        }

        return field!.FieldType == FieldType.Message && field.MessageType.FullName == Struct.Descriptor.FullName
            ? new FilterField(path, [.. steps], field, [])
            : new FilterField(path, [.. steps], field, null);
    }

    /// <summary>The field is set.</summary>
    public FilterNode Exists() => _names is null || _names.Length == 0 && _field is not null
        ? new FieldCondition(_steps, Wire.TypeOf(Kind), ValueTest.Anything, matchesAbsent: false)
        : new StructCondition(_steps, _names, new StructTest(ComparisonOperator.Exists, []));

    /// <summary>The field compares so with one of the values.</summary>
    /// <exception cref="FilterFault">It cannot.</exception>
    public FilterNode Compare(ComparisonOperator comparison, IReadOnlyList<Scalar> values)
    {
        if (_names is { Length: > 0 })
        {
            return new StructCondition(_steps, _names, new StructTest(comparison, values));
        }

        ValueTest[] tests = [.. values.Select(value => TestOf(comparison, value))];
        ValueTest test = tests.Length == 1 ? tests[0] : new MemberTest(tests);
        bool hasDefault = !_field!.IsRepeated && !_field.HasPresence;
        return new FieldCondition(_steps, Wire.TypeOf(Kind), test, hasDefault && test.Matches(0, default));
    }

    /// <summary>The field lies in the area.</summary>
    /// <exception cref="FilterFault">It is no location.</exception>
    public FilterNode Within(Area area)
    {
        if (_names is not null)
        {
            return new StructCondition(_steps, _names, new StructTest(area));
        }

        return Kind == ValueKind.Message && _field!.MessageType.FullName == Location.Descriptor.FullName
            ? new FieldCondition(_steps, Wire.Len, new AreaTest(area), matchesAbsent: false)
            : throw new FilterFault($"'{_path}' is no location.");
    }

    private ValueTest TestOf(ComparisonOperator comparison, Scalar value)
    {
        if (comparison == ComparisonOperator.Prefix && Kind is not ValueKind.String)
        {
            throw new FilterFault($"'{_path}' is no text, so it has no prefix.");
        }

        switch (Kind)
        {
            case ValueKind.String when value.ValueCase == Scalar.ValueOneofCase.Text:
                return new TextTest(comparison, Encoding.UTF8.GetBytes(value.Text));
            case ValueKind.String:
                throw new FilterFault($"'{_path}' is text; compare it with text.");
            case ValueKind.Bytes or ValueKind.Message:
                throw new FilterFault($"'{_path}' cannot be compared; name a field in it, or ask whether it exists.");
            case ValueKind.Bool when value.ValueCase == Scalar.ValueOneofCase.Boolean:
                return Only(comparison, new BitsTest(value.Boolean ? 1UL : 0UL));
            case ValueKind.Bool:
                throw new FilterFault($"'{_path}' is true or false; compare it with a boolean.");
            case ValueKind.Enum:
                return Only(comparison, new BitsTest((ulong)EnumNumber(value)));
            case ValueKind.Timestamp:
                return new MomentTest(comparison, MomentOf(value));
            default:
                string kind = Kind == ValueKind.Duration ? "duration, a number of seconds" : "number";
                return value.ValueCase == Scalar.ValueOneofCase.Number
                    ? new NumberTest(Kind, comparison, value.Number)
                    : throw new FilterFault($"'{_path}' is a {kind}; compare it with a number.");
        }
    }

    private ValueTest Only(ComparisonOperator comparison, ValueTest test) => comparison == ComparisonOperator.Equal
        ? test
        : throw new FilterFault($"'{_path}' has no order: it is equal to a value or not.");

    private int EnumNumber(Scalar value)
    {
        EnumDescriptor type = _field!.EnumType;
        if (value.ValueCase == Scalar.ValueOneofCase.Text
            && type.Values.FirstOrDefault(
                v => TypeNames.OfEnumValue(type, v) == value.Text || v.Name == value.Text) is { } found)
        {
            return found.Number;
        }

        string names = string.Join(", ", type.Values.Select(v => TypeNames.OfEnumValue(type, v)));
        throw new FilterFault($"'{_path}' is one of {names} as text.");
    }

    private Moment MomentOf(Scalar value)
    {
        if (value.ValueCase == Scalar.ValueOneofCase.Number)
        {
            double seconds = Math.Floor(value.Number);
            return new Moment((long)seconds, (int)((value.Number - seconds) * 1e9));
        }

        if (value.ValueCase == Scalar.ValueOneofCase.Text && DateTimeOffset.TryParse(
            value.Text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset time))
        {
            var moment = Timestamp.FromDateTimeOffset(time);
            return new Moment(moment.Seconds, moment.Nanos);
        }

        throw new FilterFault(
            $"'{_path}' is a time; compare it with text as 2026-11-21T15:00:00Z, or with Unix seconds.");
    }
}
