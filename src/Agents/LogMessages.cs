using Microsoft.Extensions.Logging;

namespace Ingest.Agents;

/// <summary>Every message that the project logs.</summary>
internal static partial class LogMessages
{
    [LoggerMessage(500, LogLevel.Information,
        "Agent {Agent}/{Partition} runs: {Rows} rows given again, {Suppressed} updates of them were emitted before")]
    public static partial void AgentStarted(
        this ILogger logger, string agent, int partition, long rows, long suppressed);

    [LoggerMessage(501, LogLevel.Error, "Agent {Agent}/{Partition} failed at {Call}; it is left alone for {Backoff}")]
    public static partial void AgentFailed(
        this ILogger logger, string agent, int partition, string call, TimeSpan backoff, Exception cause);

    [LoggerMessage(502, LogLevel.Warning,
        "Agent {Agent}/{Partition}: its saved state cannot be used, it is rebuilt from the store: {Reason}")]
    public static partial void StateNotUsed(this ILogger logger, string agent, int partition, string reason);

    [LoggerMessage(503, LogLevel.Warning,
        "Agent {Agent}/{Partition} waits for the store to know what came since it was stopped: {Reason}")]
    public static partial void WaitsForStore(this ILogger logger, string agent, int partition, string reason);

    [LoggerMessage(504, LogLevel.Error, "Agent {Agent}/{Partition}: its state could not be saved")]
    public static partial void StateNotSaved(this ILogger logger, string agent, int partition, Exception cause);

    [LoggerMessage(505, LogLevel.Error, "Agent {Agent}: an update for {Topic} was refused")]
    public static partial void UpdateRefused(this ILogger logger, string agent, string topic, Exception cause);

    [LoggerMessage(506, LogLevel.Warning,
        "Agent {Agent}/{Partition} is far behind: {Conflated} rows conflated and {Dropped} dropped so far")]
    public static partial void AgentLags(
        this ILogger logger, string agent, int partition, long conflated, long dropped);

    [LoggerMessage(507, LogLevel.Information, "Agent {Agent}: configuration {Revision}: {Values}")]
    public static partial void ConfigurationChanged(this ILogger logger, string agent, long revision, string values);

    [LoggerMessage(508, LogLevel.Warning, "Agent {Agent}: {Key} of its saved configuration is left out: {Reason}")]
    public static partial void ConfigurationKeyLeftOut(this ILogger logger, string agent, string key, string reason);

    [LoggerMessage(509, LogLevel.Information, "Agents {Agents} loaded from {Path}")]
    public static partial void AssemblyLoaded(this ILogger logger, string agents, string path);

    [LoggerMessage(511, LogLevel.Warning,
        "Agent {Agent}/{Partition} did not end in time; what it has not saved is given to it again at the next start")]
    public static partial void AgentHangs(this ILogger logger, string agent, int partition);

    [LoggerMessage(
        510, LogLevel.Error, "Agent {Agent}/{Partition} could not be started; it is tried again in {Backoff}")]
    public static partial void StartFailed(
        this ILogger logger, string agent, int partition, TimeSpan backoff, Exception cause);
}
