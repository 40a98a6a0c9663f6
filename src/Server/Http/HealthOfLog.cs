using Ingest.Log;

namespace Ingest.Server.Http;

/// <summary>Whether the log takes rows, by how its last group fared.</summary>
/// <remarks>
/// A failure counts for a while only: a server that is not ready is sent no rows, and without rows the log could never
/// show that it works again.
/// </remarks>
internal sealed class HealthOfLog(LogMetrics log, TimeProvider time)
{
    /// <summary>How long a failure counts.</summary>
    public static readonly TimeSpan Memory = TimeSpan.FromSeconds(15);

    private long _failures;
    private long _failedAt;

    /// <summary>What the last start found damaged, or null.</summary>
    public static string? Damage(RecoveryReport recovery) => recovery.Quarantined == 0
        ? null
        : $"At start {recovery.Quarantined} damaged pieces of the log, with {recovery.QuarantinedRows} known rows, were "
            + "set aside in the directory quarantine.";

    /// <summary>What is wrong, or null. One caller at a time.</summary>
    public string? Fault()
    {
        if (log.FailedGroups is var failures && failures != _failures)
        {
            (_failures, _failedAt) = (failures, time.GetTimestamp());
        }

        return log.Failing && time.GetElapsedTime(_failedAt) < Memory
            ? "The disk refuses what is written to it."
            : null;
    }
}
