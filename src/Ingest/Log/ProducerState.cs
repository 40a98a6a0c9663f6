namespace Ingest.Log;

/// <summary>What a lane knows of a producer. The lane's thread alone.</summary>
internal sealed class ProducerState(string id)
{
    /// <summary>The producer's id; empty for a session without one.</summary>
    public string Id { get; } = id;

    /// <summary>Highest session number seen.</summary>
    public long Epoch { get; set; }

    /// <summary>Offsets that are durable, and those of the group that is on its way.</summary>
    public OffsetRanges Offsets { get; } = new();

    /// <summary>First offset that the store does not have.</summary>
    public long StoredOffset { get; set; }

    /// <summary>When offsets last came, in Unix seconds.</summary>
    public long LastSeen { get; set; }

    /// <summary>The last segment with offsets of the producer.</summary>
    public ulong LastSegmentId { get; set; }

    /// <summary>The session whose rows count; null while there is none.</summary>
    public ProducerSession? Session { get; set; }

    /// <summary>Whether the group that is on its way has offsets of it.</summary>
    public bool IsStaged { get; set; }

    /// <summary>The offsets before the group.</summary>
    public (long End, (long Start, long End)[] Ahead) BeforeGroup { get; set; }

    /// <summary>Whether durable offsets came since the last segment was sealed.</summary>
    public bool IsUnsealed { get; set; }

    /// <summary>Whether the producer file has less than is known here.</summary>
    public bool IsUnsaved { get; set; }
}
