using Ingest.Log;
using Ingest.Stores.Sorting;

namespace Ingest.Stores.Embedded;

/// <summary>Sends segments' rows into INSERTs of the engine, in the order of their table where that is worth it.</summary>
/// <remarks>
/// One for all connections, so that there is one memory for sorting: they send one after the other. Holds one pinned
/// buffer for its lifetime; the engine copies each piece, so the buffer is free at once.
/// </remarks>
/// <param name="orderRows">Whether rows are put into the order of their table.</param>
internal sealed class SegmentSender(bool orderRows)
{
    /// <summary>The engine queues up to 16 pieces, so they bound what it holds unparsed.</summary>
    private const int PieceBytes = 1 << 20;

    private readonly Lock _gate = new();
    private readonly SegmentSort _sort = new();
    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(PieceBytes, pinned: true);

    /// <summary>Sends all rows of a segment.</summary>
    /// <param name="segment">The segment.</param>
    /// <param name="begin">Begins its INSERT; called again when its rows turn out not to be sorted after all.</param>
    /// <param name="cancellationToken">Ends it between two pieces.</param>
    /// <returns>The INSERT, which wants its end.</returns>
    /// <exception cref="StoreException">The segment cannot be read, or the engine takes no more.</exception>
    public InsertStream Send(SealedSegment segment, Func<InsertStream> begin, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            using SegmentReader bytes = SegmentReader.Open(segment);
            return orderRows && _sort.TryOrder(segment, bytes)
                && TrySend(begin, stream => SendOrdered(bytes, stream, cancellationToken)) is { } ordered
                    ? ordered
                    : TrySend(begin, stream => SendAsItIs(bytes, stream, cancellationToken))!;
        }
    }

    // What sends answers whether the engine took all, or null when there is nothing to send after all.
    private static InsertStream? TrySend(Func<InsertStream> begin, Func<InsertStream, bool?> send)
    {
        InsertStream stream = begin();
        bool isSent = false;
        try
        {
            bool? isWhole = send(stream);
            if (isWhole is false)
            {
                // The reason comes with the end of the stream.
                stream.Complete();
                throw new StoreException(
                    "The engine broke the insert off and gave no reason.", StoreFault.Unavailable);
            }

            isSent = isWhole is true;
            return isSent ? stream : null;
        }
        finally
        {
            if (!isSent)
            {
                stream.Cancel();
                stream.Dispose();
            }
        }
    }

    // Null when the rows cannot be put in order after all.
    private bool? SendOrdered(SegmentReader bytes, InsertStream stream, CancellationToken cancellationToken)
    {
        var pieces = new PieceWriter(_buffer, piece =>
        {
            cancellationToken.ThrowIfCancellationRequested();
            return stream.TryAppend(piece);
        });
        return _sort.TryWrite(bytes, pieces) ? !pieces.IsBroken : null;
    }

    private bool? SendAsItIs(SegmentReader bytes, InsertStream stream, CancellationToken cancellationToken)
    {
        while (bytes.Read(_buffer) is var read and > 0)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (!stream.TryAppend(_buffer.AsSpan(0, read)))
            {
                return false;
            }
        }

        return true;
    }
}
