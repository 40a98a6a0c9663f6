using System.Text;
using Google.Protobuf;
using Ingest.Columns;
using Ingest.Decoding;
using Ingest.Log;
using Ingest.Schema;
using Ingest.V1;

namespace Ingest.Stores.Poison;

/// <summary>Rows that the store refused one by one, as a block of <c>dead_letters</c>.</summary>
/// <remarks>
/// The letters have the id of the segment that the rows were in: no segment of dead letters has it, so a count of that
/// id says whether they are stored, and <c>received_at</c> is that of the rows.
/// </remarks>
internal static class RefusedRows
{
    /// <summary>What the reason of such a letter begins with.</summary>
    public const string Reason = "REFUSED_BY_STORE";

    /// <summary>What it begins with when the row is kept as a block of one row, since it has no message.</summary>
    public const string ReasonOfBlock = "REFUSED_BY_STORE_AS_BLOCK";

    private static readonly Nobody s_nobody = new();

    /// <summary>The table of dead letters.</summary>
    public static TableSchema Table { get; } = TableSchema.FromDescriptor(DeadLetter.Descriptor);

    /// <summary>Writes the block of the letters: the same bytes for the same rows.</summary>
    public static void Write(
        SealedSegment segment, SegmentRows rows, IEnumerable<PieceOutcome> refused, Stream target)
    {
        var encoder = new RowEncoder(segment.Table);
        var decoder = new RowDecoder(Table);
        var batch = new Batch(Table);
        foreach (PieceOutcome outcome in refused)
        {
            (BlockContent block, int row) = rows.Find(outcome.Rows.First);
            bool hasMessage = encoder.TryEncode(block, row, out byte[]? message);
            long offset = rows.OffsetOf(outcome.Rows.First) ?? -1;
            var letter = new DeadLetter
            {
                Table = segment.Table.Name,
                Reason = $"{(hasMessage ? Reason : ReasonOfBlock)}: {outcome.Reason}",
                Row = ByteString.CopyFrom(hasMessage ? message : block.Slice(row, 1)),
                ProducerOffset = offset,
            };
            int place = batch.RowCount;
            decoder.TryAppend(letter.ToByteArray(), batch, 0, out _);
            BlockValues? producer = block.Find(TableSchema.ProducerIdColumn);
            string producerId = producer is null ? "" : Encoding.UTF8.GetString(producer.Value(row));
            batch.AddEntry(new BatchEntry(s_nobody, producerId, BatchEntry.NoSession, offset, 1, place, 1));
        }

        var parts = new List<ReadOnlyMemory<byte>>();
        batch.Encode(segment.SegmentId, parts);
        foreach (ReadOnlyMemory<byte> part in parts)
        {
            target.Write(part.Span);
        }
    }

    // The block is written before anyone would have to be told.
    private sealed class Nobody : AppendSink
    {
        public override void OnCommitted(in BatchEntry entry)
        {
        }

        public override void OnFailed(in BatchEntry entry, Exception cause)
        {
        }
    }
}
