using Ingest.Columns;
using Ingest.Log;

namespace Ingest.Tests.Log;

/// <summary>A session of a producer that remembers its watermarks and tells another sink of its rows.</summary>
internal sealed class TestSession(string producerId, long epoch, CountingSink? sink = null)
    : ProducerSession(producerId, epoch)
{
    private long _durable;
    private long _stored;
    private long _fencedBy = -1;

    public CountingSink Sink { get; } = sink ?? new CountingSink();

    public long Durable => Volatile.Read(ref _durable);

    public long Stored => Volatile.Read(ref _stored);

    public long FencedBy => Volatile.Read(ref _fencedBy);

    public override void OnCommitted(in BatchEntry entry) => Sink.OnCommitted(entry);

    public override void OnFailed(in BatchEntry entry, Exception cause) => Sink.OnFailed(entry, cause);

    public override void OnAdvanced(long durableOffset, long storedOffset)
    {
        Volatile.Write(ref _durable, durableOffset);
        Volatile.Write(ref _stored, storedOffset);
    }

    public override void OnFenced(long epoch) => Volatile.Write(ref _fencedBy, epoch);
}
