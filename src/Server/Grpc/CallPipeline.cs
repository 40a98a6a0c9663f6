using Ingest.Protocol;
using Microsoft.AspNetCore.Cors.Infrastructure;
using Microsoft.AspNetCore.Http.Features;

namespace Ingest.Server.Grpc;

/// <summary>Takes an HTTP request to its method and its outcome back into a status.</summary>
internal sealed class CallPipeline(
    GrpcServerOptions options,
    ServiceRegistry registry,
    Drain drain,
    CallMetrics metrics,
    RequestMemory memory,
    TimeProvider time,
    ICorsService cors,
    ILogger<CallPipeline> logger)
{
    private readonly CorsPolicy _corsPolicy = BuildCorsPolicy(options);

    /// <summary>Serves a request for a method, or for one that nobody has bound (null).</summary>
    public Task InvokeAsync(HttpContext http, GrpcMethod? method)
    {
        if (HttpMethods.IsOptions(http.Request.Method))
        {
            return AnswerPreflight(http);
        }

        if (!WireFormatContentType.TryParse(http.Request.ContentType, out var format))
        {
            http.Response.StatusCode = method is null
                ? StatusCodes.Status404NotFound
                : StatusCodes.Status415UnsupportedMediaType;
            return Task.CompletedTask;
        }

        if (format == WireFormat.Grpc && !HttpProtocol.IsHttp2(http.Request.Protocol))
        {
            // This port speaks HTTP/1.1, which has no trailers that gRPC could use.
            http.Response.StatusCode = StatusCodes.Status426UpgradeRequired;
            http.Response.Headers.Upgrade = "HTTP/2.0";
            return Task.CompletedTask;
        }

        if (format != WireFormat.Grpc)
        {
            cors.ApplyResult(cors.EvaluatePolicy(http, _corsPolicy), http.Response);
        }

        LiftBodyLimits(http);
        return RunAsync(http, method, format);
    }

    private async Task RunAsync(HttpContext http, GrpcMethod? method, WireFormat format)
    {
        var counters = method?.Metrics ?? metrics.Unbound;
        counters.OnStarted();
        var span = CallTracing.Start(http.Request.Headers, method?.Path);
        var call = new CallContext(http, format, options, counters, memory, drain.Started);
        var counted = false;
        CallStatus status;
        if (method is null)
        {
            status = UnknownMethod(call.Method);
        }
        else if (call.Begin(time, drain.GraceOver) is { } refusal)
        {
            status = refusal;
        }
        else if (!(counted = drain.TryEnter(method.ServedWhileDraining)))
        {
            status = CallStatus.From(GrpcErrors.ShuttingDown());
        }
        else
        {
            // Not in a method of its own: for the life of a stream its state would be another object to hold.
            try
            {
                await method.Invoke(call);
                status = call.Reason == CancelReason.Deadline ? GrpcErrors.DeadlineExceeded() : CallStatus.Ok;
            }
            catch (Exception error)
            {
                status = StatusOf(error, call);
            }
        }

        try
        {
            if (status.Code != StatusCode.Ok)
            {
                LogMessages.CallRefused(logger, call.Method, status.Code, status.Detail);
            }

            await call.EndAsync(status, time);
        }
        finally
        {
            counters.OnFinished(status.Code);
            CallTracing.Stop(span, status);
            if (counted)
            {
                drain.Exit();
            }
        }
    }

    /// <summary>The one table from exceptions to statuses.</summary>
    private CallStatus StatusOf(Exception error, CallContext call)
    {
        switch (error, call.Reason)
        {
            case (OperationCanceledException or RpcException, CancelReason.Deadline):
                return GrpcErrors.DeadlineExceeded();
            case (RpcException known, _):
                return CallStatus.From(known);
            case (OperationCanceledException, CancelReason.Draining):
                return CallStatus.From(GrpcErrors.ShuttingDown());
            case (OperationCanceledException, _):
                return GrpcErrors.Cancelled();
            default:
                LogMessages.CallFailed(logger, error, call.Method);
                return GrpcErrors.Unhandled();
        }
    }

    private CallStatus UnknownMethod(string path)
    {
        var service = path.AsSpan(1);
        var slash = service.IndexOf('/');
        return GrpcErrors.UnknownMethod(path, slash > 0 && registry.Contains(service[..slash].ToString()));
    }

    private Task AnswerPreflight(HttpContext http)
    {
        var result = cors.EvaluatePolicy(http, _corsPolicy);
        if (result.IsPreflightRequest)
        {
            cors.ApplyResult(result, http.Response);
            http.Response.StatusCode = StatusCodes.Status204NoContent;
        }
        else
        {
            http.Response.StatusCode = StatusCodes.Status405MethodNotAllowed;
            http.Response.Headers.Allow = HttpMethods.Post;
        }

        return Task.CompletedTask;
    }

    /// <summary>A stream has no size and no pace; messages are limited one by one.</summary>
    private static void LiftBodyLimits(HttpContext http)
    {
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = null;
        }

        if (http.Features.Get<Microsoft.AspNetCore.Server.Kestrel.Core.Features.IHttpMinRequestBodyDataRateFeature>()
            is { } rate)
        {
            rate.MinDataRate = null;
        }
    }

    private static CorsPolicy BuildCorsPolicy(GrpcServerOptions options)
    {
        var policy = new CorsPolicyBuilder()
            .WithMethods(HttpMethods.Post)
            .AllowAnyHeader()
            .WithExposedHeaders(GrpcHeaders.Status, GrpcHeaders.Message, GrpcHeaders.StatusDetails,
                GrpcHeaders.Encoding, GrpcHeaders.AcceptEncoding)
            .SetPreflightMaxAge(TimeSpan.FromHours(1));
        return (options.WebAllowedOrigins.Contains("*")
            ? policy.AllowAnyOrigin()
            : policy.WithOrigins([.. options.WebAllowedOrigins])).Build();
    }
}
