using Ingest.Log;

namespace Ingest.Tests.Log.Crashes;

/// <summary>A producer on one table, as a client is one: goes on where it is told to, and sends again what failed.</summary>
internal sealed class CrashSender(SimulatedDisk disk, Lane lane, int producer, long epoch)
{
    private CrashSession? _session;
    private long _epoch = epoch;

    /// <summary>The offset that it sends next.</summary>
    public long Next { get; private set; }

    /// <summary>Opens a session, and is answered where to go on; null when the disk refused.</summary>
    public async Task<ProducerOpening?> OpenAsync()
    {
        var session = new CrashSession(disk, lane.Table.Name, producer, ++_epoch);
        disk.Note(new Fact.Opening(lane.Table.Name, producer, _epoch));
        try
        {
            var opening = await lane.OpenProducerAsync(session).WaitAsync(TimeSpan.FromSeconds(30));
            Assert.Equal(ProducerOpenResult.Opened, opening.Result);
            session.Opened(opening);
            _session = session;
            Next = opening.DurableOffset;
            return opening;
        }
        catch (IOException)
        {
            lane.CloseProducer(session);
            _session = null;
            return null;
        }
    }

    /// <summary>Sends new rows, and before them some that it has sent before.</summary>
    public async Task SendAsync(int count, int again = 0)
    {
        if (_session is null && await OpenAsync() is null)
        {
            return;
        }

        var first = Math.Max(0, Next - again);
        count += (int)(Next - first);
        Next = first + count;
        disk.Note(new Fact.Sent(lane.Table.Name, producer, Next));
        CrashTables.Append(lane, _session!, producer, first, count);
    }

    /// <summary>Waits for what it sent; when some of it failed, begins a new session.</summary>
    public async Task SettleAsync()
    {
        if (_session is null)
        {
            return;
        }

        await _session.SettleAsync(Next);
        if (_session.HasFailed)
        {
            lane.CloseProducer(_session);
            await OpenAsync();
        }
    }
}
