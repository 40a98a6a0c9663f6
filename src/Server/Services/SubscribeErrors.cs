using Google.Rpc;
using Ingest.Protocol;
using Ingest.Server.Grpc;
using Ingest.Topics;

namespace Ingest.Server.Services;

/// <summary>The errors that end subscriptions, each with its status and text in one place.</summary>
internal static class SubscribeErrors
{
    public static RpcException NotStarted() => Invalid(
        "request[0]", "The first request of Subscribe has to be start.");

    public static RpcException StartedTwice(long request) => Invalid(
        $"request[{request}]", $"Request {request} is start; only the first may be.");

    public static RpcException Empty(long request) => Invalid(
        $"request[{request}]", $"Request {request} has neither start nor credit nor ack.");

    public static RpcException Malformed(long request) => Invalid(
        $"request[{request}]", $"Request {request} is not a valid protobuf message.");

    /// <summary>A field of start that cannot be.</summary>
    public static RpcException InvalidStart(string field, string text) => Invalid($"request[0].start.{field}", text);

    /// <summary>What the hub finds wrong with start.</summary>
    public static RpcException InvalidStart(TopicException fault) => InvalidStart(fault.Field, fault.Message);

    public static RpcException InvalidCredit(long request, long messages) => Invalid(
        $"request[{request}].credit.messages", $"Request {request} has credit for {messages} messages; 1 or more is valid.");

    public static RpcException CreditWithoutNeed(long request) => Invalid(
        $"request[{request}].credit",
        $"Request {request} has credit, but start had no credit_messages: the subscription needs none.");

    public static RpcException InvalidAck(long request, TopicException fault) => Invalid(
        $"request[{request}].ack.resume_token", fault.Message);

    public static RpcException TooMany(int max) => GrpcErrors.TryLater(
        StatusCode.ResourceExhausted, $"The server has as many subscriptions as Ingest:Subscribe:MaxSubscriptions allows, {max}.");

    public static RpcException TooManyOfSender(int max) => GrpcErrors.TryLater(
        StatusCode.ResourceExhausted,
        $"There are as many subscriptions of this sender as Ingest:Subscribe:MaxSubscriptionsPerSender allows, {max}.");

    public static RpcException NoMemory(TimeSpan retryAfter) => GrpcErrors.TryLater(
        StatusCode.ResourceExhausted, "The server is short of memory.", retryAfter);

    /// <summary>By the overflow policy DISCONNECT.</summary>
    public static RpcException TooSlow(string token) => WithToken(
        GrpcErrors.TryLater(
            StatusCode.ResourceExhausted,
            $"The subscriber fell behind by more than Ingest:Topics:MaxLagMessages allows; resume_token {token} goes on."),
        token);

    /// <summary>Without a token: what was sent last was not read, so the subscriber's own last token is the one.</summary>
    public static RpcException Unread(TimeSpan timeout) => GrpcErrors.TryLater(
        StatusCode.ResourceExhausted, $"What was sent was not read for {timeout.TotalSeconds:0.#} s.");

    public static RpcException ShuttingDown(string token) => WithToken(GrpcErrors.ShuttingDown(), token);

    private static RpcException WithToken(RpcException error, string token)
    {
        error.Trailers.Add(IngestTrailers.ResumeToken, token);
        return error;
    }

    private static RpcException Invalid(string field, string text) => RpcException.WithDetails(
        StatusCode.InvalidArgument,
        text,
        new BadRequest
        {
            FieldViolations = { new BadRequest.Types.FieldViolation { Field = field, Description = text } },
        });
}
