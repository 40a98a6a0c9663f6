namespace Ingest.Columns;

/// <summary>
/// A run of rows in a batch that came from one sender, or none when all that came was rejected.
/// </summary>
/// <param name="Sink">Who is told when the rows are durable.</param>
/// <param name="ProducerId">The sender's stable id; empty for a sender without one.</param>
/// <param name="SessionEpoch">Session number of the producer.</param>
/// <param name="FirstOffset">Offset of the first row in the producer's stream, rejected rows counted.</param>
/// <param name="OffsetCount">Offsets covered: accepted and rejected rows.</param>
/// <param name="FirstRow">Place of the first accepted row in the batch.</param>
/// <param name="RowCount">Accepted rows in the batch.</param>
public readonly record struct BatchEntry(
    AppendSink Sink, string ProducerId, long SessionEpoch, long FirstOffset, int OffsetCount, int FirstRow, int RowCount)
{
    /// <summary>Bytes of the requests that the rows came in; 0 where nobody wants to know when they are durable.</summary>
    public int RequestBytes { get; init; }

    /// <summary>
    /// Session number of rows that name a producer but have no offsets of their own in their table: dead letters.
    /// </summary>
    public const long NoSession = -1;

    /// <summary>
    /// Whether the offsets count as the producer's. Then all rows of the run were accepted, or all rejected, so that
    /// offsets map to rows.
    /// </summary>
    public bool HasOffsets => ProducerId.Length > 0 && SessionEpoch != NoSession;

    /// <summary>Rows of the run that were rejected.</summary>
    public int RejectedCount => OffsetCount - RowCount;

    /// <summary>Joins the entry that follows when it is of the same sender and goes on where this one ends.</summary>
    internal bool TryExtend(in BatchEntry next, out BatchEntry extended)
    {
        bool goesOn = ReferenceEquals(Sink, next.Sink)
            && FirstOffset + OffsetCount == next.FirstOffset
            && FirstRow + RowCount == next.FirstRow
            && SessionEpoch == next.SessionEpoch
            && RowCount == 0 == (next.RowCount == 0)
            && (ReferenceEquals(ProducerId, next.ProducerId) || ProducerId == next.ProducerId);
        extended = goesOn
            ? this with
            {
                OffsetCount = OffsetCount + next.OffsetCount,
                RowCount = RowCount + next.RowCount,
                RequestBytes = RequestBytes + next.RequestBytes,
            }
            : this;
        return goesOn;
    }
}
