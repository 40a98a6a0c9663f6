using Google.Protobuf;
using Ingest.Columns;
using Ingest.Decoding;
using Ingest.Schema;
using Ingest.Tests.Columns;
using Ingest.V1;

namespace Ingest.Tests.Decoding;

/// <summary>Requests, as rows and as columns, allocate nothing in steady state.</summary>
public sealed class RequestAllocationTests
{
    private const int Count = 1000;

    public static TheoryData<string> Forms => ["points", "point columns", "events", "event columns"];

    [Theory]
    [MemberData(nameof(Forms))]
    public void A_request_of_a_stream_allocates_nothing(string form)
    {
        byte[] request = form switch
        {
            "points" => new StreamGpsPointsRequest { Points = { Points() } }.ToByteArray(),
            "point columns" => new StreamGpsPointsRequest { Columns = ColumnsOf.Points(Points()) }.ToByteArray(),
            "events" => new StreamEventsRequest { Events = { Events() } }.ToByteArray(),
            _ => new StreamEventsRequest { Columns = ColumnsOf.Events(Events()) }.ToByteArray(),
        };
        var batch = new Batch(TableOf(form));
        var decoder = new RequestDecoder(new RowDecoder(batch.Table));
        var rejected = new List<RejectedRow>();
        AssertAllocatesNothing(batch, () => decoder.TryAppend(request, batch, Rows.Now, rejected));
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void A_request_of_a_producer_allocates_nothing(string form)
    {
        var rows = new AppendRows { Offset = 5 };
        switch (form)
        {
            case "points":
                rows.GpsPoints = new GpsPointRows { Points = { Points() } };
                break;
            case "point columns":
                rows.GpsPointColumns = ColumnsOf.Points(Points());
                break;
            case "events":
                rows.Events = new EventRows { Events = { Events() } };
                break;
            default:
                rows.EventColumns = ColumnsOf.Events(Events());
                break;
        }

        byte[] request = new AppendRequest { Rows = rows }.ToByteArray();
        var batch = new Batch(TableOf(form));
        var requests = new RequestDecoder(new RowDecoder(batch.Table));
        var decoder = new AppendDecoder();
        var (accepted, rejected) = (new List<RowRun>(), new List<RejectedRow>());
        AssertAllocatesNothing(batch, () =>
        {
            accepted.Clear();
            return decoder.TryRead(request)
                ? decoder.TryAppend(request, requests, batch, skip: 0, Rows.Now, accepted, rejected, out _)
                : RequestResult.Malformed;
        });
    }

    private static void AssertAllocatesNothing(Batch batch, Func<RequestResult> append)
    {
        var parts = new List<ReadOnlyMemory<byte>>();
        for (int round = 0; round < 3; round++)
        {
            Round();
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        int rows = Round();
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.Equal(8 * Count, rows);
        Assert.Equal(0, allocated);

        int Round()
        {
            for (int request = 0; request < 8; request++)
            {
                if (append() != RequestResult.Decoded)
                {
                    throw new InvalidOperationException("the rows are good");
                }
            }

            int count = batch.RowCount;
            Blocks.AddProducer(batch);
            batch.Encode(Blocks.SegmentId, parts);
            batch.Reset();
            parts.Clear();
            return count;
        }
    }

    private static TableSchema TableOf(string form) => TableSchema.FromDescriptor(
        form.StartsWith("point", StringComparison.Ordinal) ? GpsPoint.Descriptor : Event.Descriptor);

    private static IEnumerable<GpsPoint> Points() => Enumerable.Range(0, Count).Select(Rows.Point);

    private static IEnumerable<Event> Events() => Enumerable.Range(0, Count).Select(Rows.Event);
}
