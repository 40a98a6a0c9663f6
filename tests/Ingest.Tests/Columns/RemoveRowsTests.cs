using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using Ingest.Columns;
using Ingest.Decoding;
using Ingest.Schema;
using Ingest.Tests.Log;
using Ingest.V1;

namespace Ingest.Tests.Columns;

public sealed class RemoveRowsTests
{
    private const int Rows = 60;

    // They stay, and have every key: dictionaries so come out the same.
    private const int FirstRows = 5;

    private static readonly Timestamp s_time = new() { Seconds = 1_800_000_000 };

    [Theory]
    [InlineData("gps_points")]
    [InlineData("events")]
    [InlineData("metric_samples")]
    [InlineData("orders")]
    public void A_batch_is_as_if_the_rows_had_never_come(string name)
    {
        (MessageDescriptor message, Func<int, IMessage> row) = name switch
        {
            "gps_points" => (GpsPoint.Descriptor, (Func<int, IMessage>)Point),
            "events" => (Event.Descriptor, Tick),
            "metric_samples" => (MetricSample.Descriptor, Sample),
            _ => (Order.Descriptor, NewOrder),
        };
        TableSchema table = TableSchema.FromDescriptor(message);
        var decoder = new RowDecoder(table);
        var random = new Random(5);
        for (int round = 0; round < 100; round++)
        {
            Batch batch = Fill(table, decoder, [.. Enumerable.Range(0, Rows).Select(row)]);
            List<int> kept = [.. Enumerable.Range(0, Rows)];
            for (int removals = random.Next(1, 4); removals > 0; removals--)
            {
                int first = random.Next(FirstRows, kept.Count);
                int count = random.Next(0, kept.Count - first + 1);
                batch.RemoveRows(first, count);
                kept.RemoveRange(first, count);
            }

            Batch expected = Fill(table, decoder, [.. kept.Select(row)]);
            Assert.Equal(kept.Count, batch.RowCount);
            Assert.Equal(Bytes(expected), Bytes(batch));
        }
    }

    private static Batch Fill(TableSchema table, RowDecoder decoder, IReadOnlyList<IMessage> rows)
    {
        var batch = new Batch(table);
        foreach (IMessage row in rows)
        {
            RowResult result = decoder.TryAppend(row.ToByteArray(), batch, s_time.Seconds, out RowFault fault);
            Assert.True(result == RowResult.Accepted, fault.ToString());
        }

        batch.AddEntry(new BatchEntry(new CountingSink(), "p", 0, 0, batch.RowCount, 0, batch.RowCount));
        return batch;
    }

    private static byte[] Bytes(Batch batch)
    {
        var parts = new List<ReadOnlyMemory<byte>>();
        batch.Encode(1, parts);
        return [.. parts.SelectMany(part => part.ToArray())];
    }

    private static GpsPoint Point(int i)
    {
        var point = new GpsPoint
        {
            DriverId = $"driver-{i % FirstRows}",
            OrderId = new string('o', i * 7 % 200),
            Location = new Location { Lat = i, Lon = -i },
            SpeedKph = i,
            TripStage = (TripStage)(i % FirstRows),
            ZoneType = $"{i % 3}",
            Timestamp = s_time,
        };
        point.AnomalyFlags.AddRange(Enumerable.Range(0, i % 4).Select(flag => $"flag-{flag}"));
        return point;
    }

    private static Event Tick(int i)
    {
        var tick = new Event { EventId = $"{i}", EventType = "t", EntityType = "e", EntityId = $"{i % 2}", Timestamp = s_time };
        tick.Properties = new Struct();
        for (int property = 0; property < i % 4; property++)
        {
            tick.Properties.Fields.Add($"key-{property}", Value.ForNumber(i));
        }

        return tick;
    }

    private static MetricSample Sample(int i)
    {
        var sample = new MetricSample { CampaignId = $"{i % 3}", Timestamp = s_time };
        for (int metric = 0; metric < i % 4; metric++)
        {
            sample.Metrics.Add($"metric-{metric}", i);
            sample.Labels.Add($"label-{metric}", $"{i}");
        }

        return sample;
    }

    private static Order NewOrder(int i) => new()
    {
        OrderId = $"{i}",
        RestaurantId = $"{i % 3}",
        Pickup = new Location { Lat = i, Lon = i },
        Dropoff = new Location { Lat = -i, Lon = i },
        PlacedAt = s_time,
        Status = (OrderStatus)(i % FirstRows),
    };
}
