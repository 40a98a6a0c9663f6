namespace Ingest.Tests.Log.Crashes;

/// <summary>What holds outside the disk from a moment on: what senders know, and what the store has.</summary>
internal abstract record Fact
{
    /// <summary>A producer has given the log rows up to an offset.</summary>
    public sealed record Sent(string Table, int Producer, long End) : Fact;

    /// <summary>A producer was told its watermarks.</summary>
    public sealed record Told(string Table, int Producer, long Durable, long Stored) : Fact;

    /// <summary>A session is being opened; whether it is, the producer's next one has a higher number.</summary>
    public sealed record Opening(string Table, int Producer, long Epoch) : Fact;

    /// <summary>A session was opened.</summary>
    public sealed record Opened(string Table, int Producer, long Epoch) : Fact;

    /// <summary>A sender without an id was told that a row is durable.</summary>
    public sealed record RowTold(string Table, long Row) : Fact;

    /// <summary>The store has begun to insert a segment: from now on its rows may be there, all or none.</summary>
    public sealed record InsertBegun(string Table, ulong Segment, IReadOnlyList<long> Rows) : Fact;

    /// <summary>The process ended while the segment was inserted, and nothing of it is there.</summary>
    public sealed record InsertLost(string Table, ulong Segment) : Fact;

    /// <summary>The store has inserted the segment and flushed it.</summary>
    public sealed record InsertEnded(string Table, ulong Segment) : Fact;
}
