using Ingest.Columns;
using Ingest.Schema;

namespace Ingest.Log;

/// <summary>Empty batches of one table that keep their memory, up to a bound in bytes; more are left to the collector.</summary>
internal sealed class BatchPool(TableSchema table, long maxBytes)
{
    private readonly Lock _gate = new();
    private readonly Stack<(Batch Batch, long Bytes)> _batches = new();
    private long _bytes;

    /// <summary>An empty batch, the one used last if there is any.</summary>
    public Batch Take()
    {
        lock (_gate)
        {
            if (_batches.TryPop(out var pooled))
            {
                _bytes -= pooled.Bytes;
                return pooled.Batch;
            }
        }

        return new Batch(table);
    }

    /// <summary>Takes a batch back that was reset.</summary>
    public void Return(Batch batch)
    {
        var bytes = batch.HeldBytes;
        lock (_gate)
        {
            if (_bytes + bytes <= maxBytes)
            {
                _bytes += bytes;
                _batches.Push((batch, bytes));
            }
        }
    }
}
