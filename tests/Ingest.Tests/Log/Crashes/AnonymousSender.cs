using Ingest.Columns;
using Ingest.Log;

namespace Ingest.Tests.Log.Crashes;

/// <summary>A sender without an id: a row that fails is sent again, so it must not be there from before.</summary>
internal sealed class AnonymousSender(SimulatedDisk disk, Lane lane) : AppendSink
{
    private readonly Queue<long> _failed = new();
    private long _next = CrashTables.FirstAnonymousRow;
    private int _waiting;
    private volatile TaskCompletionSource _settled = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Sends rows one by one, those that failed first, and waits for what becomes of them.</summary>
    public async Task SendAsync(int count)
    {
        _settled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Volatile.Write(ref _waiting, count);
        for (var i = 0; i < count; i++)
        {
            CrashTables.Append(lane, this, _failed.TryDequeue(out var row) ? row : _next++);
        }

        await _settled.Task.WaitAsync(TimeSpan.FromSeconds(30));
    }

    public override void OnCommitted(in BatchEntry entry)
    {
        for (var i = 0; i < entry.RowCount; i++)
        {
            disk.Note(new Fact.RowTold(lane.Table.Name, entry.FirstOffset + i));
        }

        Settle(entry.RowCount);
    }

    public override void OnFailed(in BatchEntry entry, Exception cause)
    {
        lock (_failed)
        {
            for (var i = 0; i < entry.RowCount; i++)
            {
                _failed.Enqueue(entry.FirstOffset + i);
            }
        }

        Settle(entry.RowCount);
    }

    private void Settle(int rows)
    {
        if (Interlocked.Add(ref _waiting, -rows) == 0)
        {
            _settled.TrySetResult();
        }
    }
}
