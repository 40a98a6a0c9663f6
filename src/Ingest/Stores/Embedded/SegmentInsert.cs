using Ingest.Log;

namespace Ingest.Stores.Embedded;

/// <summary>Sends segments' bytes to the engine. Used by one thread.</summary>
/// <remarks>Holds one pinned buffer for its lifetime; the engine copies each piece, so the buffer is free at once.</remarks>
internal sealed unsafe class SegmentInsert(EngineConnection connection, TableLayout layout)
{
    /// <summary>The engine queues up to 16 pieces, so they bound what it holds unparsed.</summary>
    private const int PieceBytes = 1 << 20;

    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(PieceBytes, pinned: true);

    /// <summary>Inserts a segment; when it returns the rows are queryable and on disk.</summary>
    /// <exception cref="StoreException">Nothing was inserted.</exception>
    public void Run(SealedSegment segment, CancellationToken cancellationToken)
    {
        using SegmentReader segmentBytes = SegmentReader.Open(segment);
        using InsertStream stream = InsertStream.Begin(connection, Statement(segment));
        bool isWhole = true;
        try
        {
            while (segmentBytes.Read(_buffer) is var read and > 0)
            {
                cancellationToken.ThrowIfCancellationRequested();
                isWhole = stream.TryAppend(_buffer.AsSpan(0, read));
                if (!isWhole)
                {
                    // The reason comes with the end of the stream.
                    break;
                }
            }

            stream.Complete();
        }
        catch
        {
            stream.Cancel();
            throw;
        }

        if (!isWhole)
        {
            // Then some of the rows may be there, which the next try finds out.
            throw new StoreException(
                "The engine broke the insert off and gave no reason.", StoreFault.Unavailable);
        }
    }

    private string Statement(SealedSegment segment) =>
        new TableDefinition(segment.Table, layout).Insert() + " SETTINGS " + string.Join(
            ", ",
            TableDefinition.InsertSettings(segment.Token).Select(s => $"{s.Name} = {SqlText.Literal(s.Value)}"));
}
