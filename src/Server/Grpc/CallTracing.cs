using System.Diagnostics;
using System.Globalization;
using Ingest.Protocol;

namespace Ingest.Server.Grpc;

/// <summary>One span a call, under the client's span when it sends a W3C <c>traceparent</c>.</summary>
/// <remarks>
/// Costs one test of a field while nobody listens. ASP.NET Core has an activity of its own for each request, which is
/// not exported and must not become the parent: its sampling decision would be ours, and traces would have a gap.
/// </remarks>
internal static class CallTracing
{
    /// <summary>Name of the source.</summary>
    public const string SourceName = "Ingest.Server";

    private static readonly ActivitySource Source = new(SourceName);

    /// <summary>Begins the span of a call; null when nobody listens.</summary>
    /// <param name="headers">The request's headers.</param>
    /// <param name="path"><c>/package.Service/Method</c>; null for a method that nobody has bound.</param>
    public static Activity? Start(IHeaderDictionary headers, string? path)
    {
        if (!Source.HasListeners())
        {
            return null;
        }

        // A traceparent that cannot be read starts a new trace, as the W3C has it.
        ActivityContext.TryParse(headers.TraceParent, headers.TraceState, isRemote: true, out var parent);
        var name = path is null ? "unbound" : path[1..];
        var outer = Activity.Current;
        Activity.Current = null;
        var span = Source.StartActivity(name, ActivityKind.Server, parent);
        if (span is null)
        {
            Activity.Current = outer;
            return null;
        }

        span.SetTag("rpc.system", "grpc");
        if (path is not null)
        {
            var slash = name.IndexOf('/');
            span.SetTag("rpc.service", name[..slash]);
            span.SetTag("rpc.method", name[(slash + 1)..]);
        }

        return span;
    }

    /// <summary>Ends the span of a call.</summary>
    public static void Stop(Activity? span, CallStatus status)
    {
        if (span is null)
        {
            return;
        }

        span.SetTag("rpc.grpc.status_code", (int)status.Code);
        if (IsServerFault(status.Code))
        {
            span.SetTag("error.type", ((int)status.Code).ToString(CultureInfo.InvariantCulture));
            span.SetStatus(ActivityStatusCode.Error, status.Detail);
        }

        span.Dispose();
    }

    // Source: OpenTelemetry semantic conventions for gRPC, server spans.
    private static bool IsServerFault(StatusCode code) => code
        is StatusCode.Unknown or StatusCode.DeadlineExceeded or StatusCode.Unimplemented or StatusCode.Internal
        or StatusCode.Unavailable or StatusCode.DataLoss;
}
