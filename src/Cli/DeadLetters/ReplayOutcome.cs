namespace Ingest.Cli.DeadLetters;

/// <summary>What came of sending a dead letter's row again.</summary>
internal enum ReplayOutcome
{
    /// <summary>The row is durable.</summary>
    Replayed,

    /// <summary>It was sent before.</summary>
    Already,

    /// <summary>It was rejected, and is a new dead letter.</summary>
    Rejected,

    /// <summary>It was not sent, or not taken: it can be tried again.</summary>
    Refused,
}
