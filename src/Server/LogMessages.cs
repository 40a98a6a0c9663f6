namespace Ingest.Server;

/// <summary>Every log message of the server.</summary>
internal static partial class LogMessages
{
    [LoggerMessage(1, LogLevel.Error, "The call of {Method} failed")]
    public static partial void CallFailed(ILogger logger, Exception error, string method);

    [LoggerMessage(2, LogLevel.Error, "A callback of the cancelled call of {Method} failed")]
    public static partial void CancellationFailed(ILogger logger, Exception error, string method);

    [LoggerMessage(3, LogLevel.Debug, "The call of {Method} ended {Status}: {Detail}")]
    public static partial void CallRefused(ILogger logger, string method, Ingest.Protocol.StatusCode status,
        string detail);

    [LoggerMessage(4, LogLevel.Information, "Draining: {ActiveCalls} calls have {Grace} to end")]
    public static partial void DrainStarted(ILogger logger, long activeCalls, TimeSpan grace);

    [LoggerMessage(5, LogLevel.Warning, "{ActiveCalls} calls did not end and are cut off")]
    public static partial void DrainIncomplete(ILogger logger, long activeCalls);

    [LoggerMessage(6, LogLevel.Error, "{Method} {Path} failed")]
    public static partial void RequestFailed(ILogger logger, Exception error, string method, string path);

    [LoggerMessage(7, LogLevel.Debug, "Connection {Connection} ends with {Code}: {Reason}")]
    public static partial void Http2Fault(
        ILogger logger, string connection, Http2.Http2ErrorCode code, string reason);

    [LoggerMessage(8, LogLevel.Debug, "Connection {Connection} is cut off: {Reason}")]
    public static partial void Http2Aborted(ILogger logger, string connection, string reason);

    [LoggerMessage(20, LogLevel.Warning,
        "/metrics leaves out {Instrument} of the meter {Meter}: the name {Name} is taken")]
    public static partial void MetricNameTaken(ILogger logger, string instrument, string meter, string name);

    [LoggerMessage(21, LogLevel.Information, "Telemetry is exported to {Endpoint}")]
    public static partial void TelemetryExported(ILogger logger, string endpoint);

    [LoggerMessage(30, LogLevel.Warning, "An answer of /sql broke off, its connection is aborted: {Reason}")]
    public static partial void AnswerBrokeOff(ILogger logger, string reason);

    [LoggerMessage(50, LogLevel.Information, "{Transport} {Remote} took nothing for {Timeout}, its connection is cut off")]
    public static partial void RealtimeUnread(
        ILogger logger, Realtime.RealtimeTransport transport, string remote, TimeSpan timeout);

    [LoggerMessage(51, LogLevel.Error, "A subscription of WebSocket {Remote} failed")]
    public static partial void RealtimeFailed(ILogger logger, Exception error, string remote);
}
