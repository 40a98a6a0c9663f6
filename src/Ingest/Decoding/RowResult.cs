namespace Ingest.Decoding;

/// <summary>What became of a row.</summary>
public enum RowResult
{
    /// <summary>It is in the batch.</summary>
    Accepted,

    /// <summary>It breaks a rule; the batch is as it was.</summary>
    Rejected,

    /// <summary>Its bytes are not a message; the batch is as it was.</summary>
    Malformed,
}
