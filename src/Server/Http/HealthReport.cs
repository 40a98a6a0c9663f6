namespace Ingest.Server.Http;

/// <summary>How the server is.</summary>
/// <param name="Ready">Whether it takes rows.</param>
/// <param name="Faults">What is wrong, by the check's name.</param>
public sealed record HealthReport(bool Ready, IReadOnlyDictionary<string, string> Faults)
{
    /// <summary><c>ok</c>, <c>degraded</c> or <c>unavailable</c>.</summary>
    public string Status => !Ready ? "unavailable" : Faults.Count > 0 ? "degraded" : "ok";
}
