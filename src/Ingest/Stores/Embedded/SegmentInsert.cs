using Ingest.Log;
using Ingest.Stores.Sorting;

namespace Ingest.Stores.Embedded;

/// <summary>Sends segments' bytes to the engine. Used by one thread.</summary>
/// <remarks>Holds one pinned buffer for its lifetime; the engine copies each piece, so the buffer is free at once.</remarks>
internal sealed unsafe class SegmentInsert(EngineConnection connection, TableLayout layout, bool orderRows)
{
    /// <summary>The engine queues up to 16 pieces, so they bound what it holds unparsed.</summary>
    private const int PieceBytes = 1 << 20;

    private readonly SegmentSort _sort = new();
    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(PieceBytes, pinned: true);

    /// <summary>Inserts a segment; when it returns the rows are queryable and on disk.</summary>
    /// <exception cref="StoreException">Nothing was inserted.</exception>
    public void Run(SealedSegment segment, CancellationToken cancellationToken)
    {
        using SegmentReader segmentBytes = SegmentReader.Open(segment);
        if (!orderRows || !_sort.TryOrder(segment, segmentBytes)
            || !TryRunOrdered(segment, segmentBytes, cancellationToken))
        {
            Run(segment, stream => Send(segmentBytes, stream, cancellationToken));
        }
    }

    // False when the rows cannot be put in order after all; nothing was inserted then.
    private bool TryRunOrdered(SealedSegment segment, SegmentReader segmentBytes, CancellationToken cancellationToken) =>
        Run(segment, stream =>
        {
            var pieces = new PieceWriter(_buffer, piece =>
            {
                cancellationToken.ThrowIfCancellationRequested();
                return stream.TryAppend(piece);
            });
            return _sort.TryWrite(segmentBytes, pieces) ? !pieces.IsBroken : null;
        });

    private bool? Send(SegmentReader segmentBytes, InsertStream stream, CancellationToken cancellationToken)
    {
        while (segmentBytes.Read(_buffer) is var read and > 0)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (!stream.TryAppend(_buffer.AsSpan(0, read)))
            {
                return false;
            }
        }

        return true;
    }

    // What sends answers whether the engine took all, or null when there is nothing to send after all.
    private bool Run(SealedSegment segment, Func<InsertStream, bool?> send)
    {
        using InsertStream stream = InsertStream.Begin(
            connection,
            new TableDefinition(segment.Table, layout).Insert() + Clause(TableDefinition.InsertSettings(segment.Token)));
        bool? isWhole;
        try
        {
            isWhole = send(stream);
            if (isWhole is null)
            {
                stream.Cancel();
                return false;
            }

            // When the engine broke it off, the reason comes with the end of the stream.
            stream.Complete();
        }
        catch
        {
            stream.Cancel();
            throw;
        }

        // Else some of the rows may be there, which the next try finds out.
        return isWhole.Value ? true : throw new StoreException(
            "The engine broke the insert off and gave no reason.", StoreFault.Unavailable);
    }

    /// <summary>Inserts the rows of a segment that the table lacks.</summary>
    /// <remarks>
    /// The engine reads the file, since a stream takes no INSERT ... SELECT. What stands behind the segment's end, left
    /// there by a failed write, would be read too; so then the segment is copied.
    /// </remarks>
    /// <exception cref="StoreException">Some of them may have been inserted.</exception>
    public void RunMissing(SealedSegment segment)
    {
        string path = Path.GetFullPath(segment.Path);
        bool isWhole = new FileInfo(path) is { Exists: true } file && file.Length == segment.Length;
        string source = isWhole ? path : Copy(segment);
        try
        {
            string statement = new TableDefinition(segment.Table, layout).InsertMissing(segment.SegmentId, source);
            connection.Run(statement + Clause(TableDefinition.InsertMissingSettings())).Dispose();
        }
        catch (StoreException e) when (e.Fault == StoreFault.BadQuery)
        {
            throw EngineError.OfInsert(e.Message);
        }
        finally
        {
            if (!isWhole)
            {
                File.Delete(source);
            }
        }
    }

    private string Copy(SealedSegment segment)
    {
        using SegmentReader segmentBytes = SegmentReader.Open(segment);
        string path = Path.GetTempFileName();
        using FileStream copy = File.Create(path);
        while (segmentBytes.Read(_buffer) is var read and > 0)
        {
            copy.Write(_buffer, 0, read);
        }

        return path;
    }

    private static string Clause(IEnumerable<(string Name, string Value)> settings) =>
        " SETTINGS " + string.Join(", ", settings.Select(s => $"{s.Name} = {SqlText.Literal(s.Value)}"));
}
