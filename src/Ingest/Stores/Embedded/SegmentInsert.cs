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
        using InsertStream stream = InsertStream.Begin(
            connection,
            new TableDefinition(segment.Table, layout).Insert() + Clause(TableDefinition.InsertSettings(segment.Token)));
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
