using Ingest.Columns;

namespace Ingest.Micro;

/// <summary>Rows that are waited for together: done when all of them are durable.</summary>
internal sealed class Group : AppendSink
{
    private TaskCompletionSource _durable = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _missing;

    /// <summary>Begins a group of so many rows.</summary>
    public Task Begin(long rows)
    {
        _durable = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Volatile.Write(ref _missing, rows);
        return _durable.Task;
    }

    /// <inheritdoc/>
    public override void OnCommitted(in BatchEntry entry)
    {
        if (Interlocked.Add(ref _missing, -entry.RowCount) == 0)
        {
            _durable.SetResult();
        }
    }

    /// <inheritdoc/>
    public override void OnFailed(in BatchEntry entry, Exception cause) => _durable.TrySetException(cause);
}
