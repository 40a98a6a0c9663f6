using Ingest.Columns;
using Ingest.Decoding;
using Ingest.Schema;
using Ingest.Tests.Columns;
using Ingest.V1;

namespace Ingest.Tests.Decoding;

public sealed class AllocationTests
{
    [Theory]
    [InlineData(nameof(GpsPoint))]
    [InlineData(nameof(Event))]
    [InlineData(nameof(MetricSample))]
    [InlineData(nameof(Order))]
    public void A_row_allocates_nothing_in_steady_state(string name)
    {
        const int count = 2000;
        var table = TableSchema.FromDescriptor(Tables.Of(name));
        var (decoder, batch) = (new RowDecoder(table), new Batch(table));
        var rows = Rows.Of(name, count);
        var parts = new List<ReadOnlyMemory<byte>>();
        for (var round = 0; round < 3; round++)
        {
            Fill(decoder, batch, rows);
            batch.Encode(Blocks.SegmentId, parts);
            batch.Reset();
            parts.Clear();
        }

        var before = GC.GetAllocatedBytesForCurrentThread();
        Fill(decoder, batch, rows);
        batch.Encode(Blocks.SegmentId, parts);
        batch.Reset();
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.Equal(0, allocated);
    }

    private static void Fill(RowDecoder decoder, Batch batch, byte[][] rows)
    {
        foreach (var row in rows)
        {
            if (decoder.TryAppend(row, batch, Rows.Now, out var fault) != RowResult.Accepted)
            {
                throw new InvalidOperationException(fault.ToString());
            }
        }

        Blocks.AddProducer(batch);
    }
}
