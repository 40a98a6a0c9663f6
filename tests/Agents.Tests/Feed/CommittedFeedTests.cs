using System.Text;
using Ingest.Columns;
using Ingest.Decoding;
using Ingest.Feed;
using Ingest.Schema;
using Ingest.V1;
using Google.Protobuf;

namespace Ingest.Agents.Tests.Feed;

/// <summary>Blocks as listeners see them.</summary>
public sealed class CommittedFeedTests
{
    [Fact]
    public async Task A_listener_sees_every_durable_row_once_in_order_with_its_place()
    {
        await using AgentServer server = await AgentServer.StartAsync([]);
        var seen = new Listener();
        using FeedSubscription subscription = server.Pipeline.Log.Feed.Listen("gps_points", seen, default);
        for (int i = 0; i < 50; i++)
        {
            await server.SendAsync(Enumerable.Range(i * 20, 20).Select(n => Rows.Point($"d{n % 7}", n)));
        }

        Assert.Equal(Enumerable.Range(0, 1000).Select(n => (float)n), seen.Speeds);
        Assert.Equal(Enumerable.Range(0, 1000).Select(n => $"d{n % 7}"), seen.Drivers);
        Assert.Equal(seen.Places.Order(), seen.Places);
        Assert.Equal(1000, seen.Places.Distinct().Count());
    }

    [Fact]
    public async Task A_block_that_is_kept_stays_as_it_was_while_others_are_written()
    {
        await using AgentServer server = await AgentServer.StartAsync([]);
        var kept = new Listener { Keeps = true };
        using FeedSubscription subscription = server.Pipeline.Log.Feed.Listen("gps_points", kept, default);
        for (int i = 0; i < 20; i++)
        {
            await server.SendAsync(Enumerable.Range(i * 10, 10).Select(n => Rows.Point($"driver-{n}", n)));
        }

        var drivers = new List<string>();
        foreach (CommittedBlock block in kept.Blocks)
        {
            BlockTexts texts = block.Texts("driver_id");
            for (int row = 0; row < block.RowCount; row++)
            {
                drivers.Add(texts.String(row));
            }

            block.Release();
        }

        Assert.Equal(Enumerable.Range(0, 200).Select(n => $"driver-{n}"), drivers);
    }

    [Fact]
    public void Columns_are_given_by_their_types_and_no_other()
    {
        CommittedBlock block = Block(Rows.Point("d1", 1, 2.5, -3.5, "o1"), Rows.Point("d2", 2.000001, 4, 5));
        Assert.Equal([2.5, 4], block.Numbers<double>("location_lat").ToArray());
        Assert.Equal([1f, 2.000001f], block.Numbers<float>("speed_kph").ToArray());
        long start = new DateTimeOffset(Rows.Start).ToUnixTimeMilliseconds() * 1000;
        Assert.Equal([start + 1_000_000, start + 2_000_001], block.Numbers<long>("timestamp").ToArray());
        BlockTexts zones = block.Texts("zone_type");
        Assert.True(zones.HasKeys);
        Assert.Equal("centre", Encoding.UTF8.GetString(zones.OfKey(zones.Keys[1])));
        Assert.Equal(zones.Keys[0], zones.FindKey("centre"u8));
        Assert.Equal(-1, zones.FindKey("elsewhere"u8));
        Assert.Equal("TO_PICKUP", block.Texts("trip_stage").String(0));
        Assert.Equal("o1", block.Texts("order_id").String(0));
        Assert.Equal("", block.Texts("order_id").String(1));
        Assert.Contains(
            "is a Float64", Assert.Throws<ArgumentException>(() => block.Numbers<long>("location_lat").Length).Message);
        Assert.Contains("is a DateTime64", Assert.Throws<ArgumentException>(
            () => block.Numbers<double>("timestamp").Length).Message);
        Assert.Contains(
            "no column nothing", Assert.Throws<ArgumentException>(() => block.Texts("nothing").KeyCount).Message);
        Assert.Contains("not a column of texts", Assert.Throws<ArgumentException>(
            () => block.Texts("location_lat").KeyCount).Message);
    }

    [Fact]
    public void A_row_is_its_message_again()
    {
        GpsPoint point = Rows.Point("d1", 17.25, 2.5, -3.5, "o1");
        point.AnomalyFlags.Add(["jump", "spoof"]);
        CommittedBlock block = Block(Rows.Point("d0", 1), point);
        Assert.Equal(point, block.Message<GpsPoint>(1));
        Assert.Throws<ArgumentException>(() => block.Message<Order>(0));
    }

    private static CommittedBlock Block(params GpsPoint[] points)
    {
        TableSchema table = BuiltInTables.All.Single(t => t.Name == "gps_points");
        var batch = new Batch(table);
        var decoder = new RowDecoder(table);
        foreach (GpsPoint point in points)
        {
            Assert.Equal(RowResult.Accepted, decoder.TryAppend(point.ToByteArray(), batch, long.MaxValue / 2, out _));
        }

        batch.ForgetProducers();
        return new CommittedBlock(batch, new BlockPlace(7, 0), DateTimeOffset.UtcNow, recycle: null);
    }

    private sealed class Listener : IBlockListener
    {
        public bool Keeps { get; init; }

        public List<CommittedBlock> Blocks { get; } = [];

        public List<float> Speeds { get; } = [];

        public List<string> Drivers { get; } = [];

        public List<BlockPlace> Places { get; } = [];

        public void OnCommitted(CommittedBlock block)
        {
            if (Keeps)
            {
                block.AddReference();
                Blocks.Add(block);
            }

            Speeds.AddRange(block.Numbers<float>("speed_kph"));
            for (int row = 0; row < block.RowCount; row++)
            {
                Drivers.Add(block.Texts("driver_id").String(row));
                Places.Add(block.PlaceOf(row));
            }
        }
    }
}
