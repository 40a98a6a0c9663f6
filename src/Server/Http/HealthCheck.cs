namespace Ingest.Server.Http;

/// <summary>One thing that has to be well.</summary>
/// <param name="Name">A word for it: <c>log</c>, <c>store</c>.</param>
/// <param name="Required">
/// Whether the server can take no rows without it. What is not required makes the server degraded, not unready.
/// </param>
/// <param name="FaultAsync">Says what is wrong in a short sentence, or null when nothing is.</param>
public sealed record HealthCheck(
    string Name, bool Required, Func<CancellationToken, ValueTask<string?>> FaultAsync);
