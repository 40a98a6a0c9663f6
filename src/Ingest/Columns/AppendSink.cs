namespace Ingest.Columns;

/// <summary>
/// Who is told what became of rows that went into a batch: a stream, an agent's outbox.
/// </summary>
/// <remarks>
/// Called by a lane's writer thread, once for each entry of a batch; an implementation counts and wakes, and does
/// nothing that waits.
/// </remarks>
public abstract class AppendSink
{
    /// <summary>The rows of the entry are durable.</summary>
    public abstract void OnCommitted(in BatchEntry entry);

    /// <summary>The rows of the entry are not durable and never will be.</summary>
    public abstract void OnFailed(in BatchEntry entry, Exception cause);
}
