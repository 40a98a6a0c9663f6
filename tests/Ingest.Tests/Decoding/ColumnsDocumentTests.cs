using System.Globalization;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Ingest.Columns;
using Ingest.Decoding;
using Ingest.Schema;
using Ingest.Tests.Columns;
using Ingest.V1;

namespace Ingest.Tests.Decoding;

/// <summary>The bytes in docs/columns.md are what the text beside them says.</summary>
public sealed class ColumnsDocumentTests
{
    [Fact]
    public void The_documented_bytes_are_the_documented_points()
    {
        byte[] request = DocumentedBytes();
        var table = TableSchema.FromDescriptor(GpsPoint.Descriptor);
        var (columns, rows) = (new Batch(table), new Batch(table));
        var decoder = new RequestDecoder(new RowDecoder(table));
        Assert.Equal(RequestResult.Decoded, decoder.TryAppend(request, columns, Rows.Now, []));
        Assert.Equal(
            RequestResult.Decoded,
            decoder.TryAppend(new StreamGpsPointsRequest { Points = { Points() } }.ToByteArray(), rows, Rows.Now, []));
        Assert.Equal(3, columns.RowCount);
        Assert.Equal(Blocks.Encode(rows), Blocks.Encode(columns));
    }

    [Fact]
    public void Google_Protobuf_writes_the_documented_bytes()
    {
        byte[] request = DocumentedBytes();
        Assert.Equal(
            Convert.ToHexString(StreamGpsPointsRequest.Parser.ParseFrom(request).ToByteArray()),
            Convert.ToHexString(request));
    }

    private static IEnumerable<GpsPoint> Points()
    {
        yield return Point("d1", "a", 1.5, -46.5, 0, TripStage.Idle, TimeSpan.Zero);
        yield return Point("d2", "", 2.5, -46.25, 30.5f, TripStage.ToPickup, TimeSpan.FromSeconds(1), "jump", "stale");
        yield return Point("d1", "b", 3.5, -46, 61, TripStage.ToPickup, TimeSpan.FromSeconds(0.5), "jump");
    }

    private static GpsPoint Point(
        string driver, string order, double lat, double lon, float speed, TripStage stage, TimeSpan after,
        params string[] flags) => new()
        {
            DriverId = driver,
            OrderId = order,
            Location = new Location { Lat = lat, Lon = lon },
            SpeedKph = speed,
            TripStage = stage,
            ZoneType = "centre",
            Timestamp = Timestamp.FromDateTime(new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc) + after),
            AnomalyFlags = { flags },
        };

    // The block of the document: hexadecimal up to the comment of each line.
    private static byte[] DocumentedBytes()
    {
        string[] lines = File.ReadAllLines(Document());
        int first = Array.IndexOf(lines, "```hex") + 1;
        Assert.True(first > 0, "the document has no block of bytes");
        return
        [
            .. lines[first..].TakeWhile(line => line != "```")
                .SelectMany(line => line.Split('#')[0].Split(' ', StringSplitOptions.RemoveEmptyEntries))
                .Select(digits => byte.Parse(digits, NumberStyles.HexNumber, CultureInfo.InvariantCulture)),
        ];
    }

    private static string Document()
    {
        string? directory = AppContext.BaseDirectory;
        while (directory is not null && !File.Exists(Path.Combine(directory, "docs", "columns.md")))
        {
            directory = Path.GetDirectoryName(directory);
        }

        Assert.NotNull(directory);
        return Path.Combine(directory, "docs", "columns.md");
    }
}
