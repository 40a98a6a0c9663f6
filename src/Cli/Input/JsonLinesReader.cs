using System.Text;
using System.Text.Json;
using Ingest.Cli.Binding;

namespace Ingest.Cli.Input;

/// <summary>
/// Reads rows from JSON objects, one a line: with the messages' own names (`driverId` or `driver_id`, `location`
/// nested) or with flat columns of any known name.
/// </summary>
internal sealed class JsonLinesReader<TRow>(LineReader lines, RowBinder<TRow> binder) : RowReader<TRow>(lines)
{
    private readonly NameTable _root = new("");
    private readonly List<string> _unused = [];
    private byte[] _text = new byte[256];
    private string? _fault;

    public override TRow Row => binder.Row;

    public override IReadOnlyList<string> UnusedColumns => _unused;

    public override ReadOutcome Read()
    {
        while (Lines.TryRead(out var line))
        {
            if (!line.Trim(" \t"u8).IsEmpty)
            {
                return ReadLine(line);
            }
        }
        return ReadOutcome.End;
    }

    private ReadOutcome ReadLine(ReadOnlySpan<byte> line)
    {
        _fault = null;
        binder.Begin();
        try
        {
            var json = new Utf8JsonReader(line);
            json.Read();
            if (json.TokenType != JsonTokenType.StartObject)
            {
                return Fail("not a JSON object");
            }
            ReadObject(ref json, _root);
            json.Read();
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // Utf8JsonReader tells malformed JSON, and text that is not UTF-8, only so.
            return Fail("not a JSON object");
        }
        return (_fault ?? binder.Complete(Line)) is { } fault ? Fail(fault) : ReadOutcome.Row;
    }

    private void ReadObject(ref Utf8JsonReader json, NameTable names)
    {
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var name = TextOf(ref json);
            if (!names.TryFind(name, out var place))
            {
                place = Resolve(names, Encoding.UTF8.GetString(name));
                names.Add(name, place);
            }
            json.Read();
            ReadValue(ref json, place);
        }
    }

    private Place Resolve(NameTable names, string name)
    {
        var path = names.Prefix + name;
        var group = binder.IsGroup(path) ? new NameTable(path + ".") : null;
        var field = group is null ? binder.Resolve(path).Field : -1;
        if (field < 0 && group is null)
        {
            _unused.Add(path);
        }
        return new Place(path, field, group);
    }

    private void ReadValue(ref Utf8JsonReader json, Place place)
    {
        switch (json.TokenType)
        {
            case JsonTokenType.StartObject when place.Group is not null:
                ReadObject(ref json, place.Group);
                return;
            case JsonTokenType.StartObject or JsonTokenType.StartArray:
                ReadComposite(ref json, place);
                return;
            case JsonTokenType.Null:
                return;
            default:
                Set(place, TextOf(ref json));
                return;
        }
    }

    private void ReadComposite(ref Utf8JsonReader json, Place place)
    {
        if (place.Field < 0)
        {
            json.Skip();
        }
        else if (!binder.TrySetJson(place.Field, ref json))
        {
            if (json.TokenType == JsonTokenType.StartArray)
            {
                ReadList(ref json, place);
                return;
            }
            _fault ??= $"{place.Path} cannot be an object";
            json.Skip();
        }
    }

    /// <summary>A list of texts, given to the field one by one.</summary>
    private void ReadList(ref Utf8JsonReader json, Place place)
    {
        while (json.Read() && json.TokenType != JsonTokenType.EndArray)
        {
            if (json.TokenType is JsonTokenType.StartArray or JsonTokenType.StartObject)
            {
                _fault ??= $"{place.Path} cannot be a list of lists or objects";
                json.Skip();
                continue;
            }
            Set(place, TextOf(ref json));
        }
    }

    private void Set(Place place, ReadOnlySpan<byte> text)
    {
        if (place.Group is not null)
        {
            _fault ??= $"{place.Path} has to be an object";
        }
        else if (place.Field >= 0 && !binder.TrySet(place.Field, text))
        {
            _fault ??= binder.Describe(place.Field, text);
        }
    }

    private ReadOnlySpan<byte> TextOf(ref Utf8JsonReader json)
    {
        if (!json.ValueIsEscaped)
        {
            return json.ValueSpan;
        }
        if (_text.Length < json.ValueSpan.Length)
        {
            _text = new byte[json.ValueSpan.Length * 2];
        }
        return _text.AsSpan(0, json.CopyString(_text));
    }

    /// <summary>Where a name leads: to a field, or to the names within an object.</summary>
    private sealed record Place(string Path, int Field, NameTable? Group);

    /// <summary>The names that objects of one kind have borne so far.</summary>
    private sealed class NameTable(string prefix)
    {
        private readonly Dictionary<byte[], Place> _places = new(Utf8Comparer.Instance);

        public string Prefix { get; } = prefix;

        public bool TryFind(ReadOnlySpan<byte> name, out Place place) =>
            _places.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(name, out place!);

        public void Add(ReadOnlySpan<byte> name, Place place) => _places[name.ToArray()] = place;
    }
}
