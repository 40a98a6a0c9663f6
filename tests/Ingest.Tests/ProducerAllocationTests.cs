using Google.Protobuf;
using Ingest.Decoding;
using Ingest.Log;
using Ingest.Stores;
using Ingest.Tests.Decoding;
using Ingest.Tests.Log;
using Ingest.V1;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ingest.Tests;

/// <summary>Rows of a producer on their way into the log.</summary>
public sealed class ProducerAllocationTests
{
    private const int RowsEach = 1000;
    private const int Requests = 40;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Rows_of_a_producer_allocate_nothing(bool asColumns)
    {
        string directory = Directory.CreateTempSubdirectory("ingest-producer-").FullName;
        try
        {
            await using IngestPipeline pipeline = await OpenAsync(directory);
            ProducerStream stream = pipeline.OpenProducer("gps_points", "p", 1, "test", () => { })!;
            await stream.OpenAsync();
            var decoder = new AppendDecoder();
            long allocated = 0;
            for (int request = 0; request < Requests; request++)
            {
                byte[] bytes = Request(request * RowsEach, asColumns);
                long sent = Append(stream, decoder, bytes);

                // The first ones make batches, and grow them.
                allocated += request >= Requests / 2 ? sent : 0;
                await Eventually.BeAsync(() => stream.DurableOffset == stream.ReceivedOffset);
            }

            Assert.Equal(Requests * RowsEach, stream.DurableOffset);
            Assert.Equal(0, allocated);
            stream.Close();
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private static long Append(ProducerStream stream, AppendDecoder decoder, byte[] bytes)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        bool read = decoder.TryRead(bytes);
        AppendOutcome outcome = stream.Append(decoder, bytes);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.Equal((true, AppendOutcome.Appended), (read, outcome));
        return allocated;
    }

    private static byte[] Request(long offset, bool asColumns)
    {
        IEnumerable<GpsPoint> points = Enumerable.Range(0, RowsEach).Select(Rows.Point);
        var rows = new AppendRows { Offset = offset };
        if (asColumns)
        {
            rows.GpsPointColumns = ColumnsOf.Points(points);
        }
        else
        {
            rows.GpsPoints = new GpsPointRows { Points = { points } };
        }

        return new AppendRequest { Rows = rows }.ToByteArray();
    }

    private static Task<IngestPipeline> OpenAsync(string directory) => IngestPipeline.OpenAsync(
        new PipelineOptions
        {
            Log = new LogOptions { DataDirectory = directory },
            Store = new StoreOptions { Kind = StoreOptions.NullKind },
        },
        NullLoggerFactory.Instance, TimeProvider.System, default);
}
