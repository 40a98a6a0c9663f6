namespace Ingest;

/// <summary>What became of a request with rows of a producer.</summary>
public enum AppendOutcome
{
    /// <summary>Its rows were taken, those that had not come before.</summary>
    Appended,

    /// <summary>All its rows had come before.</summary>
    Duplicate,

    /// <summary>Its offset lies above the end; nothing was taken.</summary>
    Gap,

    /// <summary>It has more rows than one request may have; nothing was taken.</summary>
    TooManyRows,

    /// <summary>Its bytes are not a message, or its columns make no rows; nothing was taken.</summary>
    Malformed,
}
