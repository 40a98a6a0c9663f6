namespace Ingest.Log;

/// <summary>What opening the log found and did.</summary>
public sealed record RecoveryReport
{
    /// <summary>Segments of earlier runs that go to the store now.</summary>
    public int Segments { get; init; }

    /// <summary>Rows in them.</summary>
    public long Rows { get; init; }

    /// <summary>Bytes of their blocks.</summary>
    public long Bytes { get; init; }

    /// <summary>
    /// Bytes cut off behind the last good block: a write that nobody was told of, or what a file had before it was written over.
    /// </summary>
    public long CutBytes { get; init; }

    /// <summary>Damaged pieces that were moved to quarantine.</summary>
    public int Quarantined { get; init; }

    /// <summary>Rows known to be in them.</summary>
    public long QuarantinedRows { get; init; }

    /// <summary>Tables that the log holds segments of and no schema declares, with the number of their segments.</summary>
    public IReadOnlyDictionary<string, int> UnknownTables { get; init; } = new Dictionary<string, int>();

    /// <summary>How long it took.</summary>
    public TimeSpan Elapsed { get; init; }
}
