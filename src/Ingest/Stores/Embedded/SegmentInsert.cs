using Ingest.Log;

namespace Ingest.Stores.Embedded;

/// <summary>Inserts segments over one connection of the engine. Used by one thread.</summary>
internal sealed class SegmentInsert(EngineConnection connection, TableLayout layout, SegmentSender sender) : IDisposable
{
    private const int CopiedBytes = 64 << 10;

    private SealedSegment? _prepared;
    private InsertStream? _stream; // Of what is prepared: the engine has its rows, the table does not.

    /// <summary>Sends a segment's rows to the engine, but not their end.</summary>
    /// <remarks>Nothing of it is in the table before <see cref="Run"/>, whatever happens.</remarks>
    /// <exception cref="StoreException">It cannot be sent now.</exception>
    public void Prepare(SealedSegment segment, CancellationToken cancellationToken)
    {
        Drop();
        string statement = new TableDefinition(segment.Table, layout).Insert()
            + Clause(TableDefinition.InsertSettings(segment.Token));
        _stream = sender.Send(segment, () => InsertStream.Begin(connection, statement), cancellationToken);
        _prepared = segment;
    }

    /// <summary>Lets go of what is prepared.</summary>
    /// <exception cref="StoreException">The engine may hold it until the next statement.</exception>
    public void Unprepare()
    {
        if (_stream is not null)
        {
            Drop();

            // The engine ends an INSERT that was broken off, and gives its memory back, when the next statement comes.
            connection.Run("SELECT 1").Dispose();
        }
    }

    /// <summary>Inserts a segment; when it returns the rows are queryable and on disk.</summary>
    /// <exception cref="StoreException">Nothing is known to be inserted.</exception>
    public void Run(SealedSegment segment, CancellationToken cancellationToken)
    {
        if (!ReferenceEquals(_prepared, segment))
        {
            Prepare(segment, cancellationToken);
        }

        try
        {
            _stream!.Complete();
        }
        finally
        {
            Drop();
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
        Drop();
        string path = Path.GetFullPath(segment.Path);
        bool isWhole = new FileInfo(path) is { Exists: true } file && file.Length == segment.Length;
        string source = isWhole ? path : Path.GetTempFileName();
        try
        {
            if (!isWhole)
            {
                Copy(segment, source);
            }

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

    /// <inheritdoc/>
    public void Dispose()
    {
        Drop();
        connection.Dispose();
    }

    private static void Copy(SealedSegment segment, string path)
    {
        using SegmentReader bytes = SegmentReader.Open(segment);
        using FileStream copy = File.Create(path);
        byte[] buffer = GC.AllocateUninitializedArray<byte>(CopiedBytes);
        while (bytes.Read(buffer) is var read and > 0)
        {
            copy.Write(buffer, 0, read);
        }
    }

    private void Drop()
    {
        _stream?.Cancel();
        _stream?.Dispose();
        (_stream, _prepared) = (null, null);
    }

    private static string Clause(IEnumerable<(string Name, string Value)> settings) =>
        " SETTINGS " + string.Join(", ", settings.Select(s => $"{s.Name} = {SqlText.Literal(s.Value)}"));
}
