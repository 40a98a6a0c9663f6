using Ingest.Columns;

namespace Ingest.Tests.Log;

/// <summary>A sender that remembers what it was told.</summary>
internal sealed class CountingSink : AppendSink
{
    private readonly List<BatchEntry> _committed = [];
    private readonly List<(BatchEntry Entry, Exception Cause)> _failed = [];

    public IReadOnlyList<BatchEntry> Committed
    {
        get
        {
            lock (_committed)
            {
                return [.. _committed];
            }
        }
    }

    public IReadOnlyList<(BatchEntry Entry, Exception Cause)> Failed
    {
        get
        {
            lock (_committed)
            {
                return [.. _failed];
            }
        }
    }

    public long CommittedRows => Committed.Sum(entry => (long)entry.RowCount);

    public long FailedRows => Failed.Sum(failure => (long)failure.Entry.RowCount);

    public Action<BatchEntry>? OnCommit { get; set; }

    public override void OnCommitted(in BatchEntry entry)
    {
        OnCommit?.Invoke(entry);
        lock (_committed)
        {
            _committed.Add(entry);
        }
    }

    public override void OnFailed(in BatchEntry entry, Exception cause)
    {
        lock (_committed)
        {
            _failed.Add((entry, cause));
        }
    }

    public Task CommittedAsync(long rows) => Eventually.BeAsync(() => CommittedRows >= rows);

    public Task FailedAsync(long rows) => Eventually.BeAsync(() => FailedRows >= rows);
}
