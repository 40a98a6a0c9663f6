namespace Ingest.Decoding;

/// <summary>What became of a request.</summary>
public enum RequestResult
{
    /// <summary>Its rows are in the batch, but for those that were rejected.</summary>
    Decoded,

    /// <summary>Its bytes are not a message; the batch is as it was.</summary>
    Malformed,

    /// <summary>It has more rows than one request may have; the batch is as it was.</summary>
    TooManyRows,

    /// <summary>Its columns make no rows, such as one that is longer than another; the batch is as it was.</summary>
    Unfit,
}
