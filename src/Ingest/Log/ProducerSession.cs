using Ingest.Columns;

namespace Ingest.Log;

/// <summary>
/// A session of a producer on a table: the sink of its rows. While it is the current one of its producer, its rows
/// count; rows of an earlier session that are still on their way are dropped and told as failed.
/// </summary>
/// <remarks>
/// Opened by <see cref="Lane.OpenProducerAsync"/>, closed by <see cref="Lane.CloseProducer"/>. All callbacks come from
/// the lane's thread; they count and wake, and do nothing that waits. A session without a producer id is at least once:
/// its offsets count from 0 and are forgotten with it.
/// </remarks>
public abstract class ProducerSession : AppendSink
{
    /// <summary>Makes a session.</summary>
    /// <param name="producerId">
    /// The producer's stable id, at most <see cref="Batch.MaxProducerIdBytes"/> in UTF-8; or empty.
    /// </param>
    /// <param name="epoch">Its session number, not negative.</param>
    protected ProducerSession(string producerId, long epoch)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(epoch);
        ProducerId = producerId;
        Epoch = epoch;
    }

    /// <summary>The producer's stable id, or empty.</summary>
    public string ProducerId { get; }

    /// <summary>Session number of the producer.</summary>
    public long Epoch { get; }

    /// <summary>What the lane knows of the producer. The lane's thread alone.</summary>
    internal ProducerState? State { get; set; }

    /// <summary>The producer's watermarks may have advanced; both are the first offset that is not there yet.</summary>
    /// <param name="durableOffset">First offset that is not durable.</param>
    /// <param name="storedOffset">First offset that the store does not have.</param>
    public abstract void OnAdvanced(long durableOffset, long storedOffset);

    /// <summary>Another session of the producer has taken over; no row of this one counts any more.</summary>
    /// <param name="epoch">Session number of the other.</param>
    public abstract void OnFenced(long epoch);
}
