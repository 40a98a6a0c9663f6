using System.Globalization;
using System.Text.RegularExpressions;
using Google.Protobuf;
using Ingest.V1;
using Xunit.Abstractions;

namespace Ingest.EndToEnd.Tests;

/// <summary>
/// What a whole server allocates a row, log and acknowledgement included, once it is warm: next to nothing, whatever the
/// size of a message and however busy the machine. Of what an idle server allocates, some hundred KiB are in it.
/// </summary>
/// <remarks>Instructions a row are watched by InstructionGuardTests of tests/Ingest.Tests.</remarks>
[Collection("alone")]
public sealed partial class AllocationGuardTests(ITestOutputHelper output)
{
    private const int Rows = 400_000;
    private const int WarmUps = 4;
    private const int Rounds = 3;
    private const double MaxBytesPerRow = 8;

    [Theory]
    [InlineData("rows", 1)]
    [InlineData("rows", 1000)]
    [InlineData("columns", 1000)]
    public async Task A_warm_server_allocates_next_to_nothing_a_row(string form, int rowsPerMessage)
    {
        await using ServerProcess server = await ServerProcess.StartAsync(null, "Store:Kind=null");
        byte[] body = Body(form, rowsPerMessage);
        for (int i = 0; i < WarmUps; i++)
        {
            await SendAsync(server, body);
        }

        // What is allocated for a row is allocated each time; what else a server does now and then is not.
        double perRow = double.MaxValue, full = 0;
        for (int i = 0; i < Rounds; i++)
        {
            (double Bytes, double Full) before = await MeasureAsync(server);
            await SendAsync(server, body);
            (double Bytes, double Full) after = await MeasureAsync(server);
            perRow = Math.Min(perRow, (after.Bytes - before.Bytes) / Rows);
            full += after.Full - before.Full;
        }

        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{perRow:0.00} bytes a row, {full} collections of gen2"));
        Assert.InRange(perRow, 0, MaxBytesPerRow);
    }

    private static byte[] Body(string form, int rowsPerMessage)
    {
        using var body = new MemoryStream();
        for (int first = 0; first < Rows; first += rowsPerMessage)
        {
            StreamGpsPointsRequest request = form == "columns"
                ? new StreamGpsPointsRequest { Columns = PointFrames.ColumnsOf(first, rowsPerMessage) }
                : new StreamGpsPointsRequest
                {
                    Points = { Enumerable.Range(first, rowsPerMessage).Select(i => PointFrames.Point(i, $"driver_{i % 500}")) },
                };
            body.Write(PointFrames.Frame(request));
        }

        return body.ToArray();
    }

    private static async Task SendAsync(ServerProcess server, byte[] body)
    {
        RawCall.Answer answer = await RawCall.SendAsync(server.GrpcAddress, "StreamGpsPoints", body);
        Assert.Equal(0, answer.Status);
        Assert.Equal(Rows, answer.Response(StreamGpsPointsResponse.Parser).AcceptedCount);
    }

    private static async Task<(double Bytes, double FullCollections)> MeasureAsync(ServerProcess server)
    {
        string metrics = await server.Http.GetStringAsync("/metrics");
        return (Value(AllocatedBytes().Match(metrics)), Value(FullCollections().Match(metrics)));
    }

    private static double Value(Match match)
    {
        Assert.True(match.Success, "the metric is not there");
        return double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture);
    }

    [GeneratedRegex("(?m)^dotnet_gc_heap_total_allocated_bytes_total(?:\\{.*\\})? (\\S+)$")]
    private static partial Regex AllocatedBytes();

    [GeneratedRegex("(?m)^dotnet_gc_collections_total\\{.*\"gen2\".*\\} (\\S+)$")]
    private static partial Regex FullCollections();
}
