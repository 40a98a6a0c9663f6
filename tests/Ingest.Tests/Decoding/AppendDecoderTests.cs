using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Ingest.Columns;
using Ingest.Decoding;
using Ingest.Schema;
using Ingest.V1;

namespace Ingest.Tests.Decoding;

public sealed class AppendDecoderTests
{
    private static readonly TableSchema s_table = TableSchema.FromDescriptor(GpsPoint.Descriptor);
    private static readonly RequestDecoder s_requests = new(new RowDecoder(s_table));
    private readonly AppendDecoder _decoder = new();

    [Fact]
    public void Requests_in_pieces_and_cut_anywhere_are_read_as_Google_Protobuf_reads_them()
    {
        var random = new Random(11);
        int read = 0;
        int refused = 0;
        for (int round = 0; round < 20_000; round++)
        {
            byte[] request = [.. Enumerable.Range(0, random.Next(1, 4)).SelectMany(_ => Piece(random).ToByteArray())];
            if (random.Next(2) == 0)
            {
                request = request[..random.Next(request.Length + 1)];
            }

            if (TryParse(request) is { } expected)
            {
                Compare(expected, request);
                read++;
            }
            else
            {
                Assert.False(TryDecode(request, skip: 0, out _, out _, out _), Convert.ToHexString(request));
                refused++;
            }
        }

        Assert.True(read > 1000 && refused > 1000, $"{read} read, {refused} refused: the test shows little");
    }

    [Fact]
    public void Rows_that_are_skipped_are_counted_and_runs_go_around_rejected_rows()
    {
        var rows = new AppendRows { Offset = 5, GpsPoints = new GpsPointRows() };
        foreach (bool valid in new[] { true, false, true, true, false, false, true })
        {
            rows.GpsPoints.Points.Add(valid ? Point(1) : new GpsPoint());
        }

        byte[] request = new AppendRequest { Rows = rows }.ToByteArray();
        Assert.True(TryDecode(request, skip: 3, out int count, out List<RowRun> accepted, out List<RejectedRow> rejected));
        Assert.Equal(7, count);
        Assert.Equal([new RowRun(3, 0, 1), new RowRun(6, 1, 1)], accepted);
        Assert.Equal([4, 5], rejected.Select(row => row.Index));
    }

    // What comes last counts, and what it replaces has to be a message all the same.
    [Theory]
    [InlineData("12041202FFFF120412020A00", false)] // gps_points with a broken tag, then gps_points: merged.
    [InlineData("12041202FFFF120442020A00", false)] // The same, replaced by serialized.
    [InlineData("120612040A02FFFF120442020A00", false)] // A broken point, replaced.
    [InlineData("120442020AFF12021200", false)] // Serialized rows cut short, replaced.
    [InlineData("120612040A020A00120442020A00", true)] // A whole point, replaced.
    [InlineData("120642040A02FFFF12021200", true)] // A serialized row is bytes, whatever is in it.
    [InlineData("0A02FFFF12021200", false)] // A broken open, replaced by rows.
    [InlineData("0A020A0012021200", true)] // An open, replaced by rows.
    [InlineData("12041202FFFF0A020A00", false)] // Broken rows, replaced by open.
    [InlineData("120412020A000A020A00", true)] // Rows, replaced by open.
    public void Members_that_are_replaced_are_held_to_the_same_rules(string hex, bool isMessage)
    {
        byte[] request = Convert.FromHexString(hex);
        Assert.Equal(isMessage, TryParse(request) is not null);
        if (isMessage)
        {
            Compare(TryParse(request)!, request);
        }
        else
        {
            Assert.False(TryDecode(request, skip: 0, out _, out _, out _));
        }
    }

    private void Compare(AppendRequest expected, byte[] request)
    {
        string text = Convert.ToHexString(request);
        bool decoded = TryDecode(request, skip: 0, out int count, out List<RowRun> accepted, out _);
        Assert.Equal(expected.RequestCase, _decoder.Kind);
        if (expected.Open is { } open)
        {
            Assert.Equal(open, _decoder.ReadOpen(request));
        }
        else if (expected.Rows is { } rows)
        {
            Assert.Equal((rows.Offset, rows.RowsCase), (_decoder.Offset, _decoder.Form));
            if (rows.RowsCase == AppendRows.RowsOneofCase.GpsPoints)
            {
                Assert.True(decoded, text);
                Assert.Equal(rows.GpsPoints.Points.Count, count);
                Assert.Equal(rows.GpsPoints.Points.Count(point => point.DriverId.Length > 0), accepted.Sum(run => run.Count));
            }
        }
    }

    private bool TryDecode(
        byte[] request, long skip, out int count, out List<RowRun> accepted, out List<RejectedRow> rejected)
    {
        (count, accepted, rejected) = (0, [], []);
        return _decoder.TryRead(request)
            && (_decoder.Kind != AppendRequest.RequestOneofCase.Open || _decoder.ReadOpen(request) is not null)
            && (_decoder.Form is not (AppendRows.RowsOneofCase.GpsPoints or AppendRows.RowsOneofCase.None)
                || _decoder.TryAppend(
                    request, s_requests, new Batch(s_table), skip, 1_800_000_000, accepted, rejected, out count)
                    == RequestResult.Decoded);
    }

    private static AppendRequest? TryParse(byte[] request)
    {
        try
        {
            return AppendRequest.Parser.ParseFrom(request);
        }
        catch (InvalidProtocolBufferException)
        {
            return null;
        }
    }

    private static AppendRequest Piece(Random random)
    {
        if (random.Next(5) == 0)
        {
            return new AppendRequest { Open = new AppendOpen { ProducerId = $"{random.Next(3)}", Table = "gps_points" } };
        }

        var rows = new AppendRows { Offset = random.Next(3) == 0 ? 0 : random.Next() };
        if (random.Next(8) == 0)
        {
            rows.Events = new EventRows { Events = { new Event { EventId = "e", EventType = "t" } } };
        }
        else if (random.Next(8) == 0)
        {
            rows.Serialized = new SerializedRows { Rows = { ByteString.CopyFrom(0xFF, 0xFF), ByteString.Empty } };
        }
        else if (random.Next(5) > 0)
        {
            rows.GpsPoints = new GpsPointRows();
            rows.GpsPoints.Points.AddRange(Enumerable.Range(0, random.Next(4)).Select(
                _ => random.Next(4) == 0 ? new GpsPoint { ZoneType = "x" } : Point(random.Next(100))));
        }

        return new AppendRequest { Rows = rows };
    }

    private static GpsPoint Point(int speed) => new()
    {
        DriverId = "driver",
        Location = new Location { Lat = 1, Lon = 2 },
        SpeedKph = speed,
        Timestamp = new Timestamp { Seconds = 1_800_000_000 },
    };
}
