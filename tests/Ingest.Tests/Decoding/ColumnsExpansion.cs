using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Ingest.Tests.Protos;
using Ingest.V1;

namespace Ingest.Tests.Decoding;

/// <summary>
/// What a columns message stands for by its contract, written down row by row from what Google.Protobuf has read.
/// </summary>
internal sealed class ColumnsExpansion<TRow>
    where TRow : IMessage, new()
{
    /// <summary>More than fit into what the maker makes.</summary>
    public const int MaxRows = 100_000;

    private readonly List<TRow> _rows;
    private bool _hasRows;
    private bool _fits = true;

    private ColumnsExpansion(uint rows)
    {
        _fits = rows <= MaxRows;
        _rows = [.. Enumerable.Range(0, _fits ? (int)rows : 0).Select(_ => new TRow())];
    }

    private List<IMessage>? Result => _fits && (_hasRows || _rows.Count == 0) ? [.. _rows] : null;

    /// <summary>The rows; null when the columns do not fit together.</summary>
    public static List<IMessage>? Of(RawPointColumns? columns)
    {
        columns ??= new RawPointColumns();
        var rows = new ColumnsExpansion<RawPoint>(columns.RowCount);
        rows.Text(columns.DriverId, (row, value) => row.DriverId = value);
        rows.Text(columns.OrderId, (row, value) => row.OrderId = value);
        rows.Each(columns.LocationLat, (row, value) => (row.Location ??= new()).Lat = value);
        rows.Each(columns.LocationLon, (row, value) => (row.Location ??= new()).Lon = value);
        rows.Each(columns.SpeedKph, (row, value) => row.SpeedKph = value);
        rows.Each(columns.TripStage, (row, value) => row.TripStage = value);
        rows.Each(columns.TrafficDensity, (row, value) => row.TrafficDensity = value);
        rows.Text(columns.ZoneType, (row, value) => row.ZoneType = value);
        rows.Times(columns.Timestamp, (row, value) => row.Timestamp = value);
        rows.Lists(columns.AnomalyFlags, (row, values) => row.AnomalyFlags.AddRange(values));
        return rows.Result;
    }

    /// <inheritdoc cref="Of(RawPointColumns?)"/>
    public static List<IMessage>? Of(RawEventColumns? columns)
    {
        columns ??= new RawEventColumns();
        var rows = new ColumnsExpansion<RawEvent>(columns.RowCount);
        rows.Text(columns.EventId, (row, value) => row.EventId = value);
        rows.Text(columns.EventType, (row, value) => row.EventType = value);
        rows.Text(columns.EntityType, (row, value) => row.EntityType = value);
        rows.Text(columns.EntityId, (row, value) => row.EntityId = value);
        rows.Times(columns.Timestamp, (row, value) => row.Timestamp = value);
        rows.Each(columns.Properties, (row, value) => row.Properties = value);
        return rows.Result;
    }

    private void Each<T>(IReadOnlyList<T> values, Action<TRow, T> set)
    {
        if (values.Count == 0)
        {
            return;
        }

        _hasRows = true;
        _fits &= values.Count == _rows.Count;
        foreach ((TRow row, T value) in _rows.Zip(values))
        {
            set(row, value);
        }
    }

    private void Text(RawText? text, Action<TRow, ByteString> set) => Each(Strings(text), set);

    private void Times(TimestampColumn? column, Action<TRow, Timestamp> set)
    {
        if (column is null)
        {
            return;
        }

        var micros = new List<long> { column.FirstMicros };
        foreach (long delta in column.DeltaMicros)
        {
            micros.Add(unchecked(micros[^1] + delta));
        }

        Each(micros, (row, value) => set(row, Moment(value)));
    }

    private void Lists(RawTextList? column, Action<TRow, IEnumerable<ByteString>> add)
    {
        List<ByteString> items = Strings(column?.Items);
        long sum = column?.Lengths.Sum(l => (long)l) ?? 0;
        _fits &= sum == items.Count;
        if (!_fits)
        {
            return;
        }

        int next = 0;
        Each(
            column?.Lengths.ToArray() ?? [],
            (row, length) =>
            {
                add(row, items.Skip(next).Take((int)length));
                next += (int)length;
            });
    }

    private List<ByteString> Strings(RawText? text)
    {
        if (text is null)
        {
            return [];
        }

        bool isCoded = text.Values.Count == 0;
        _fits &= isCoded
            ? text.Indexes.All(i => i < text.Dictionary.Count)
            : text.Dictionary.Count + text.Indexes.Count == 0;
        return !_fits ? [] : isCoded ? [.. text.Indexes.Select(i => text.Dictionary[(int)i])] : [.. text.Values];
    }

    private static Timestamp Moment(long micros)
    {
        long seconds = (long)Math.Floor(micros / 1_000_000m);
        return new Timestamp { Seconds = seconds, Nanos = (int)((micros - (seconds * 1_000_000m)) * 1000) };
    }
}
