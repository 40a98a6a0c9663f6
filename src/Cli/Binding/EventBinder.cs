using System.Text.Json;
using Google.Protobuf.WellKnownTypes;
using Ingest.V1;

namespace Ingest.Cli.Binding;

/// <summary>
/// Columns into events; a column that is no field becomes a property. In an ad log (a file with a column `click`) the
/// event type is `ad_impression` unless something else says otherwise. The entity type is what the name of the
/// entity's column says: `item_id` makes it `item`.
/// </summary>
internal sealed class EventBinder(BindingOptions options) : RowBinder<Event>(Fields, options)
{
    private const int Id = 0;
    private const int Type = 1;
    private const int EntityType = 2;
    private const int EntityId = 3;
    private const int Time = 4;
    private const int Date = 5;
    private const int Item = 6;
    private const int Campaign = 7;
    private const int Creative = 8;
    private const string Prefix = "properties.";
    private const string AdImpression = "ad_impression";

    private static readonly RowFields Fields = new(
        new RowField(Id, "event_id"),
        new RowField(Type, "event_type", "event"),
        new RowField(EntityType, "entity_type"),
        new RowField(EntityId, "entity_id", "entity"),
        new RowField(Time, "timestamp", "time", "datetime", "unixtime", "ts"),
        new RowField(Date, "date"),
        new RowField(Item, "item_id"),
        new RowField(Campaign, "campaign_id"),
        new RowField(Creative, "creative_id"));

    private readonly Event _row = new() { Timestamp = new Timestamp(), Properties = new Struct() };
    private readonly Dictionary<string, (string Name, Value Value)> _properties = [];
    private string? _entityFrom;
    private TimeValue _time;

    public override Event Row => _row;

    protected override IReadOnlyList<string> ExtraPrefixes => [Prefix];

    protected override string? DefaultExtraPrefix => Prefix;

    public override string? FindMissing(IReadOnlyCollection<int> fields)
    {
        if (!fields.Contains(Type) && !HasConstant(Type) && !_properties.ContainsKey(Prefix + "click"))
        {
            return "no column for event_type; --set event_type=NAME gives one to every row";
        }
        if (!fields.Contains(EntityId) && !HasConstant(EntityId)
            && !fields.Contains(Item) && !fields.Contains(Campaign) && !fields.Contains(Creative))
        {
            return "no column for entity_id; --map COLUMN=entity_id names it";
        }
        if (fields.Contains(EntityId) && !fields.Contains(EntityType) && !HasConstant(EntityType))
        {
            return "no column for entity_type; --set entity_type=NAME gives one to every row";
        }
        return fields.Contains(Time) || fields.Contains(Date) || HasConstant(Time) ? null : "no column for timestamp";
    }

    protected override void Clear()
    {
        _row.EventId = "";
        _row.EventType = "";
        _row.EntityType = "";
        _row.EntityId = "";
        _row.Properties.Fields.Clear();
        _entityFrom = null;
        _time = default;
    }

    protected override bool TrySetField(int field, ReadOnlySpan<byte> text)
    {
        switch (field)
        {
            case Id:
                _row.EventId = ToText(text);
                return true;
            case Type:
                _row.EventType = ToText(text);
                return true;
            case EntityType:
                _row.EntityType = ToText(text);
                return true;
            case EntityId:
                return SetEntity(text);
            case Item:
                return SetEntity("item", Prefix + "item_id", text);
            case Campaign:
                return SetEntity("campaign", Prefix + "campaign_id", text);
            case Creative:
                return SetEntity("creative", Prefix + "creative_id", text);
            default:
                return _time.TrySet(text);
        }
    }

    protected override bool TrySetExtra(string path, ReadOnlySpan<byte> text)
    {
        var (name, value) = PropertyOf(path);
        FieldText.SetValue(value, text, ToText(text));
        _row.Properties.Fields[name] = value;
        return true;
    }

    protected override bool TrySetExtraJson(string path, ref Utf8JsonReader json)
    {
        _row.Properties.Fields[PropertyOf(path).Name] = JsonValues.Read(ref json);
        return true;
    }

    protected override bool IsMessage(string path) => false;

    protected override void OnExtra(string path) => PropertyOf(path);

    protected override string? Finish(long line)
    {
        if (_row.EventType.Length == 0 && _row.Properties.Fields.ContainsKey("click"))
        {
            _row.EventType = AdImpression;
        }
        if (_row.EventType.Length == 0)
        {
            return "event_type is missing";
        }
        if (_row.EntityId.Length == 0 || _row.EntityType.Length == 0)
        {
            return _row.EntityId.Length == 0 ? "entity_id is missing" : "entity_type is missing";
        }
        if (!_time.TryResolve(Options, out var micros))
        {
            return _time.IsTimeOfDay ? "timestamp has no date; --date gives one" : "timestamp is missing";
        }
        TimeValue.Store(micros, _row.Timestamp);
        return null;
    }

    /// <summary>Such a column names the entity where no other does, and is a property beside one that does.</summary>
    private bool SetEntity(string type, string property, ReadOnlySpan<byte> text)
    {
        if (_row.EntityId.Length > 0)
        {
            return TrySetExtra(property, text);
        }
        _entityFrom = property;
        _row.EntityId = ToText(text);
        _row.EntityType = _row.EntityType.Length == 0 ? type : _row.EntityType;
        return true;
    }

    private bool SetEntity(ReadOnlySpan<byte> text)
    {
        if (_entityFrom is not null)
        {
            PropertyOf(_entityFrom).Value.StringValue = _row.EntityId;
            _row.Properties.Fields[PropertyOf(_entityFrom).Name] = PropertyOf(_entityFrom).Value;
        }
        _row.EntityId = ToText(text);
        return true;
    }

    private (string Name, Value Value) PropertyOf(string path)
    {
        if (!_properties.TryGetValue(path, out var property))
        {
            property = (path[Prefix.Length..], new Value());
            _properties.Add(path, property);
        }
        return property;
    }
}
