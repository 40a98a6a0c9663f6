using System.Buffers;
using System.Globalization;
using Ingest.V1;

namespace Ingest.Agents.Delivery;

/// <content>What it knows, saved, restored, and made anew from the store.</content>
public sealed partial class EtaAgent
{
    /// <inheritdoc/>
    protected internal override void SaveState(IBufferWriter<byte> state)
    {
        using var bytes = new MemoryStream();
        using (var writer = new BinaryWriter(bytes, System.Text.Encoding.UTF8, leaveOpen: true))
        {
            writer.Write(_latest);
            EtaModelState.Write(writer, _model);
            writer.Write(_orders.Count);
            foreach (TrackedOrder order in _orders.Values)
            {
                EtaModelState.Write(writer, order);
            }

            writer.Write(_drivers.Count);
            foreach (TrackedDriver driver in _drivers.Values)
            {
                writer.Write(driver.DriverId);
                writer.Write(driver.Place.Lat);
                writer.Write(driver.Place.Lon);
                writer.Write(driver.At);
            }

            writer.Write(_finishedInOrder.Count);
            foreach (string order in _finishedInOrder)
            {
                writer.Write(order);
            }
        }

        state.Write(bytes.GetBuffer().AsSpan(0, (int)bytes.Length));
    }

    /// <inheritdoc/>
    protected internal override void RestoreState(ReadOnlySpan<byte> state)
    {
        using var reader = new BinaryReader(new MemoryStream(state.ToArray()));
        _latest = reader.ReadInt64();
        EtaModelState.Read(reader, _model);
        for (int count = reader.ReadInt32(); count > 0; count--)
        {
            TrackedOrder order = EtaModelState.ReadOrder(reader);
            string driver = order.DriverId;
            order.DriverId = "";
            _orders.Add(order.OrderId, order);
            if (driver.Length > 0)
            {
                Assign(order, driver);
            }
        }

        for (int count = reader.ReadInt32(); count > 0; count--)
        {
            string id = reader.ReadString();
            var place = new GeoPoint(reader.ReadDouble(), reader.ReadDouble());
            long at = reader.ReadInt64();
            if (_drivers.TryGetValue(id, out TrackedDriver? driver))
            {
                (driver.Place, driver.At) = (place, at);
            }
        }

        for (int count = reader.ReadInt32(); count > 0; count--)
        {
            string order = reader.ReadString();
            _finished.Add(order);
            _finishedInOrder.Enqueue(order);
        }
    }

    /// <summary>
    /// Takes up the orders of the last hours that are not over, and their drivers' latest places. What was learnt of
    /// speeds and residuals is learnt again from what comes.
    /// </summary>
    protected internal override async ValueTask RebuildAsync(AgentStore store, CancellationToken cancellationToken)
    {
        IReadOnlyList<string[]> orders = await store.QueryAsync(
            "SELECT order_id, restaurant_id, pickup_lat, pickup_lon, dropoff_lat, dropoff_lon, "
            + "toUnixTimestamp64Micro(placed_at), toUnixTimestamp64Micro(ready_at), status, driver_id, "
            + "toUnixTimestamp64Milli(received_at) FROM orders "
            + $"WHERE received_at > now() - INTERVAL {(int)MaxSilence.TotalHours} HOUR ORDER BY received_at "
            + $"LIMIT {MaxOrders * 5}",
            cancellationToken);
        foreach (string[] row in orders)
        {
            Take(
                new OrderRow(
                    row[0], row[1], Place(row[2], row[3]), Place(row[4], row[5]), Micros(row[6]), Micros(row[7]),
                    s_statuses.GetValueOrDefault(row[8], OrderStatus.Placed), row[9]),
                Micros(row[10]) * 1000, index: null);
        }

        if (_drivers.Count == 0)
        {
            return;
        }

        IReadOnlyList<string[]> drivers = await store.QueryAsync(
            "SELECT driver_id, argMax(location_lat, timestamp), argMax(location_lon, timestamp), "
            + "toUnixTimestamp64Micro(max(timestamp)) FROM gps_points WHERE received_at > now() - INTERVAL 1 HOUR "
            + "GROUP BY driver_id",
            cancellationToken);
        foreach (string[] row in drivers)
        {
            if (_drivers.TryGetValue(row[0], out TrackedDriver? driver))
            {
                (driver.Place, driver.At) = (Place(row[1], row[2]), Micros(row[3]));
            }
        }
    }

    private static GeoPoint Place(string lat, string lon) =>
        new(double.Parse(lat, CultureInfo.InvariantCulture), double.Parse(lon, CultureInfo.InvariantCulture));

    private static long Micros(string text) => long.Parse(text, CultureInfo.InvariantCulture);
}
