using System.Text.Json;
using Ingest.Cli.Binding;
using Ingest.V1;

namespace Ingest.Cli.Input;

/// <summary>
/// Reads GPS points from trips, one JSON object a line, with arrays of latitudes and longitudes and, of the same
/// length, either times or seconds since the trip's start. The start is a `timestamp`, or as in the DeepTTE Chengdu set
/// `dateID` (day of the month) and `timeID` (minute of the day).
/// </summary>
/// <remarks>
/// That set is of August 2014 (its `weekID`, Monday 0, agrees) in China's time, UTC+8; other months and zones are told
/// by the options. A trip that is at fault gives one fault and no points.
/// </remarks>
internal sealed class TripsReader(LineReader lines, GpsPointBinder binder) : RowReader<GpsPoint>(lines)
{
    private const long MicrosPerSecond = 1_000_000;
    private static readonly DateOnly ChengduMonth = new(2014, 8, 1);
    private static readonly TimeSpan ChengduOffset = TimeSpan.FromHours(8);

    private readonly List<double> _lats = [];
    private readonly List<double> _lons = [];
    private readonly List<double> _gaps = [];
    private readonly List<long> _times = [];
    private long? _start;
    private int? _day;
    private double? _minute;
    private int _next;

    public override GpsPoint Row => binder.Row;

    public override IReadOnlyList<string> UnusedColumns => [];

    public override ReadOutcome Read()
    {
        while (_next >= _lats.Count)
        {
            if (!Lines.TryRead(out var line))
            {
                return ReadOutcome.End;
            }
            if (!line.Trim(" \t"u8).IsEmpty && ReadTrip(line) is { } fault)
            {
                Clear();
                return Fail(fault);
            }
        }
        var time = _times.Count > 0
            ? _times[_next]
            : _start!.Value + (long)Math.Round(_gaps[_next] * MicrosPerSecond);
        binder.MoveTo(_lats[_next], _lons[_next], time);
        _next++;
        return ReadOutcome.Row;
    }

    private string? ReadTrip(ReadOnlySpan<byte> line)
    {
        Clear();
        binder.Begin();
        try
        {
            var json = new Utf8JsonReader(line);
            json.Read();
            if (json.TokenType != JsonTokenType.StartObject)
            {
                return "not a JSON object";
            }
            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                if (ReadProperty(ref json) is { } fault)
                {
                    return fault;
                }
            }
            json.Read();
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or FormatException)
        {
            return "not a JSON object with arrays of numbers";
        }
        return Check() ?? binder.CompleteTrip(Line);
    }

    private string? ReadProperty(ref Utf8JsonReader json)
    {
        var name = json.GetString()!;
        json.Read();
        switch (name.ToLowerInvariant())
        {
            case "lats" or "lat" or "latitudes":
                ReadNumbers(ref json, _lats);
                return null;
            case "lngs" or "lons" or "lng" or "lon" or "longitudes":
                ReadNumbers(ref json, _lons);
                return null;
            case "time_gap" or "timegap" or "time_gaps":
                ReadNumbers(ref json, _gaps);
                return null;
            case "timestamps" or "timestamp" when json.TokenType == JsonTokenType.StartArray:
                return ReadTimes(ref json);
            case "timestamp":
                return TryTime(json.ValueSpan, out var start) is { } fault ? fault : SetStart(start);
            case "dateid":
                _day = json.GetInt32();
                return null;
            case "timeid":
                _minute = json.GetDouble();
                return null;
            default:
                return json.TokenType is JsonTokenType.StartArray or JsonTokenType.StartObject
                    ? Skip(ref json)
                    : SetField(name, json.ValueSpan);
        }
    }

    private string? Check()
    {
        if (_lats.Count != _lons.Count)
        {
            return $"{_lats.Count} latitudes and {_lons.Count} longitudes";
        }
        if (_times.Count > 0)
        {
            return _times.Count == _lats.Count ? null : $"{_lats.Count} points and {_times.Count} times";
        }
        if (_gaps.Count != _lats.Count)
        {
            return $"{_lats.Count} points and {_gaps.Count} times";
        }
        if (_start is null && _day is { } day && _minute is { } minute)
        {
            var month = binder.Options.Date ?? ChengduMonth;
            if (day < 1 || day > DateTime.DaysInMonth(month.Year, month.Month) || minute is not (>= 0 and < 1440))
            {
                return $"dateID {day} and timeID {minute} are no time of {month:yyyy-MM}";
            }
            var start = new DateTime(month.Year, month.Month, day, 0, 0, 0, DateTimeKind.Utc).AddMinutes(minute)
                - (binder.Options.UtcOffset ?? ChengduOffset);
            _start = (start - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
        }
        return _start is null ? "no start: timestamp, or dateID and timeID" : null;
    }

    private string? ReadTimes(ref Utf8JsonReader json)
    {
        while (json.Read() && json.TokenType != JsonTokenType.EndArray)
        {
            if (TryTime(json.ValueSpan, out var micros) is { } fault)
            {
                return fault;
            }
            _times.Add(micros);
        }
        return null;
    }

    private string? TryTime(ReadOnlySpan<byte> text, out long micros)
    {
        var time = default(TimeValue);
        micros = 0;
        return time.TrySet(text) && time.TryResolve(binder.Options, out micros) ? null : "a timestamp is no time";
    }

    private string? SetStart(long micros)
    {
        _start = micros;
        return null;
    }

    private string? SetField(string name, ReadOnlySpan<byte> text)
    {
        var (field, _) = binder.Resolve(name);
        return field < 0 || name == "time" || binder.TrySet(field, text) ? null : binder.Describe(field, text);
    }

    private static string? Skip(ref Utf8JsonReader json)
    {
        json.Skip();
        return null;
    }

    private static void ReadNumbers(ref Utf8JsonReader json, List<double> numbers)
    {
        numbers.Clear();
        while (json.Read() && json.TokenType != JsonTokenType.EndArray)
        {
            numbers.Add(json.GetDouble());
        }
    }

    private void Clear()
    {
        _lats.Clear();
        _lons.Clear();
        _gaps.Clear();
        _times.Clear();
        _start = null;
        _day = null;
        _minute = null;
        _next = 0;
    }
}
