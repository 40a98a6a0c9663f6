using Ingest.Columns;

namespace Ingest.Tests.Columns;

/// <summary>Encoded batches as one piece.</summary>
internal static class Blocks
{
    public const ulong SegmentId = 0x0123_4567_89ab_cdef;

    private static readonly NoSink s_sink = new();

    /// <summary>The block's bytes; the batch's rows are put down to one producer.</summary>
    public static byte[] Encode(Batch batch, string producer = "producer")
    {
        if (batch.RowCount > 0 && batch.Entries.Length == 0)
        {
            AddProducer(batch, producer);
        }

        var parts = new List<ReadOnlyMemory<byte>>();
        var length = batch.Encode(SegmentId, parts);
        byte[] bytes = [.. parts.SelectMany(p => p.ToArray())];
        Assert.Equal(length, bytes.Length);
        return bytes;
    }

    /// <summary>Puts all rows down to one producer.</summary>
    public static void AddProducer(Batch batch, string producer = "producer") =>
        batch.AddEntry(new BatchEntry(s_sink, producer, 1, 0, batch.RowCount, 0, batch.RowCount));

    public static NativeBlock Read(Batch batch) => NativeBlockReader.Read(Encode(batch));

    private sealed class NoSink : AppendSink
    {
        public override void OnCommitted(in BatchEntry entry)
        {
        }

        public override void OnFailed(in BatchEntry entry, Exception cause)
        {
        }
    }
}
