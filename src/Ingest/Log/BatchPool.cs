using Ingest.Columns;
using Ingest.Schema;

namespace Ingest.Log;

/// <summary>Empty batches of one table that keep their memory, up to a bound in bytes; more are left to the collector.</summary>
internal sealed class BatchPool(TableSchema table, long maxBytes)
{
    private readonly Lock _gate = new();
    private readonly List<(Batch Batch, long Bytes)> _batches = [];
    private long _bytes;
    private int _unused; // The fewest that lay here since the last trim, at the list's start.

    /// <summary>The table, in the version that the batches are of.</summary>
    public TableSchema Table => table;

    /// <summary>Memory that the pool holds.</summary>
    public long HeldBytes => Volatile.Read(ref _bytes);

    /// <summary>An empty batch, the one used last if there is any.</summary>
    public Batch Take()
    {
        lock (_gate)
        {
            if (_batches.Count > 0)
            {
                var (batch, bytes) = _batches[^1];
                _batches.RemoveAt(_batches.Count - 1);
                _bytes -= bytes;
                _unused = Math.Min(_unused, _batches.Count);
                return batch;
            }
        }

        return new Batch(table);
    }

    /// <summary>Takes a batch back that was reset; one of another version of the table is left to the collector.</summary>
    public void Return(Batch batch)
    {
        if (batch.Table != table)
        {
            return;
        }

        var bytes = batch.HeldBytes;
        lock (_gate)
        {
            if (_bytes + bytes <= maxBytes)
            {
                _bytes += bytes;
                _batches.Add((batch, bytes));
            }
        }
    }

    /// <summary>Lets go of what nobody took since the last trim.</summary>
    public void Trim()
    {
        lock (_gate)
        {
            for (var i = 0; i < _unused; i++)
            {
                _bytes -= _batches[i].Bytes;
            }

            _batches.RemoveRange(0, _unused);
            _unused = _batches.Count;
        }
    }
}
