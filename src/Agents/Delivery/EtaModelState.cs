using Ingest.V1;

namespace Ingest.Agents.Delivery;

/// <summary>What the model has learnt, and orders, as bytes of the agent's state.</summary>
internal static class EtaModelState
{
    public static void Write(BinaryWriter writer, EtaModel model)
    {
        writer.Write(model.Speeds.Cells.Count);
        foreach ((SpeedTable.Cell cell, SpeedTable.Sum sum) in model.Speeds.Cells)
        {
            writer.Write(cell.Lat);
            writer.Write(cell.Lon);
            writer.Write((sbyte)cell.Hour);
            writer.Write(sum.Km);
            writer.Write(sum.Hours);
        }

        foreach (ResidualBucket bucket in model.Residuals.Buckets)
        {
            writer.Write(bucket.Count);
            foreach (double ratio in bucket.Ratios)
            {
                writer.Write(ratio);
            }
        }

        writer.Write(model.Preparation.Restaurants.Count);
        foreach ((string restaurant, Queue<double> minutes) in model.Preparation.Restaurants)
        {
            writer.Write(restaurant);
            Write(writer, minutes);
        }

        Write(writer, model.Preparation.All);
    }

    public static void Read(BinaryReader reader, EtaModel model)
    {
        for (int count = reader.ReadInt32(); count > 0; count--)
        {
            var cell = new SpeedTable.Cell(reader.ReadInt32(), reader.ReadInt32(), reader.ReadSByte());
            model.Speeds.Restore(cell, new SpeedTable.Sum(reader.ReadDouble(), reader.ReadDouble()));
        }

        foreach (ResidualBucket bucket in model.Residuals.Buckets)
        {
            for (int count = reader.ReadInt32(); count > 0; count--)
            {
                bucket.Add(reader.ReadDouble());
            }
        }

        var all = new List<(string Restaurant, double Minutes)>();
        for (int count = reader.ReadInt32(); count > 0; count--)
        {
            string restaurant = reader.ReadString();
            for (int own = reader.ReadInt32(); own > 0; own--)
            {
                all.Add((restaurant, reader.ReadDouble()));
            }
        }

        model.Preparation.Restore(all, [.. Enumerable.Range(0, reader.ReadInt32()).Select(_ => reader.ReadDouble())]);
    }

    public static void Write(BinaryWriter writer, TrackedOrder order)
    {
        writer.Write(order.OrderId);
        writer.Write(order.RestaurantId);
        writer.Write(order.DriverId);
        writer.Write(order.Pickup.Lat);
        writer.Write(order.Pickup.Lon);
        writer.Write(order.Dropoff.Lat);
        writer.Write(order.Dropoff.Lon);
        writer.Write(order.PlacedAt);
        writer.Write(order.ReadyAt);
        writer.Write((int)order.Status);
        writer.Write((int)order.Stage);
        writer.Write(order.UpdatedAt);
        writer.Write(order.EmittedAt);
        writer.Write(order.EmittedPickup);
        writer.Write(order.EmittedDelivery);
        writer.Write((int)order.EmittedStage);
        writer.Write(order.Pending.Count);
        foreach ((long at, EtaStage stage, double minutes) in order.Pending)
        {
            writer.Write(at);
            writer.Write((int)stage);
            writer.Write(minutes);
        }
    }

    public static TrackedOrder ReadOrder(BinaryReader reader)
    {
        var order = new TrackedOrder
        {
            OrderId = reader.ReadString(),
            RestaurantId = reader.ReadString(),
            DriverId = reader.ReadString(),
            Pickup = new GeoPoint(reader.ReadDouble(), reader.ReadDouble()),
            Dropoff = new GeoPoint(reader.ReadDouble(), reader.ReadDouble()),
            PlacedAt = reader.ReadInt64(),
            ReadyAt = reader.ReadInt64(),
            Status = (OrderStatus)reader.ReadInt32(),
            Stage = (EtaStage)reader.ReadInt32(),
            UpdatedAt = reader.ReadInt64(),
            EmittedAt = reader.ReadInt64(),
            EmittedPickup = reader.ReadInt64(),
            EmittedDelivery = reader.ReadInt64(),
            EmittedStage = (EtaStage)reader.ReadInt32(),
        };
        for (int count = reader.ReadInt32(); count > 0; count--)
        {
            order.Pending.Add((reader.ReadInt64(), (EtaStage)reader.ReadInt32(), reader.ReadDouble()));
        }

        return order;
    }

    private static void Write(BinaryWriter writer, IReadOnlyCollection<double> values)
    {
        writer.Write(values.Count);
        foreach (double value in values)
        {
            writer.Write(value);
        }
    }
}
