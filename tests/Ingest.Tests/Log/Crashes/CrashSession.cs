using Ingest.Columns;
using Ingest.Log;

namespace Ingest.Tests.Log.Crashes;

/// <summary>A session that puts what it is told into the journal at the moment it is told.</summary>
internal sealed class CrashSession(SimulatedDisk disk, string table, int producer, long epoch)
    : ProducerSession(NameOf(producer), epoch)
{
    private long _durable;
    private volatile bool _failed;
    private volatile TaskCompletionSource _changed = NewSource();

    public long Durable => Volatile.Read(ref _durable);

    /// <summary>Rows could not be made durable: the server would end the stream.</summary>
    public bool HasFailed => _failed;

    public static string NameOf(int producer) => $"producer-{producer}";

    public void Opened(ProducerOpening opening)
    {
        Volatile.Write(ref _durable, Math.Max(Durable, opening.DurableOffset));
        disk.Note(new Fact.Opened(table, producer, Epoch));
        disk.Note(new Fact.Told(table, producer, opening.DurableOffset, opening.StoredOffset));
    }

    public override void OnAdvanced(long durableOffset, long storedOffset)
    {
        disk.Note(new Fact.Told(table, producer, durableOffset, storedOffset));
        Volatile.Write(ref _durable, Math.Max(Durable, durableOffset));
        Change();
    }

    public override void OnFailed(in BatchEntry entry, Exception cause)
    {
        _failed = true;
        Change();
    }

    public override void OnFenced(long epoch)
    {
    }

    public override void OnCommitted(in BatchEntry entry)
    {
    }

    /// <summary>Waits until an offset is durable, or a row has failed.</summary>
    public async Task SettleAsync(long offset)
    {
        while (true)
        {
            var changed = _changed;
            if (Durable >= offset || _failed)
            {
                return;
            }

            await changed.Task.WaitAsync(TimeSpan.FromSeconds(30));
        }
    }

    private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private void Change()
    {
        var changed = _changed;
        _changed = NewSource();
        changed.TrySetResult();
    }
}
