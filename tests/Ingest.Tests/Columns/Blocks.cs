using Ingest.Columns;

namespace Ingest.Tests.Columns;

/// <summary>Encoded batches as one piece.</summary>
internal static class Blocks
{
    public const ulong SegmentId = 0x0123_4567_89ab_cdef;

    /// <summary>The block's bytes; the batch's rows are put down to one producer.</summary>
    public static byte[] Encode(Batch batch, string producer = "producer")
    {
        if (batch.RowCount > 0 && batch.Entries.Length == 0)
        {
            batch.AddEntry(new BatchEntry(new NoSink(), producer, 1, 0, batch.RowCount, 0, batch.RowCount));
        }

        var parts = new List<ReadOnlyMemory<byte>>();
        var length = batch.Encode(SegmentId, parts);
        byte[] bytes = [.. parts.SelectMany(p => p.ToArray())];
        Assert.Equal(length, bytes.Length);
        return bytes;
    }

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
