using System.Globalization;
using Google.Rpc;
using Ingest.Protocol;
using Ingest.Server.Grpc;
using Ingest.V1;

namespace Ingest.Server.Services;

/// <summary>The errors that end sessions of producers, each with its status and text in one place.</summary>
internal static class AppendErrors
{
    public static RpcException NotOpened() => Invalid(
        "request[0]", "The first request of Append has to be open.");

    public static RpcException OpenedTwice(long request) => Invalid(
        $"request[{request}]", $"Request {request} is open; only the first may be.");

    public static RpcException Empty(long request) => Invalid(
        $"request[{request}]", $"Request {request} has neither open nor rows.");

    public static RpcException NegativeOffset(long request, long offset) => Invalid(
        $"request[{request}].rows.offset", $"Request {request} has offset {offset}; offsets begin at 0.");

    public static RpcException Malformed(long request) => Invalid(
        $"request[{request}]", $"Request {request} is not a valid protobuf message; nothing of it landed.");

    public static RpcException Unfit(long request, string fault) => Invalid(
        $"request[{request}].rows", $"The columns of request {request} make no rows: {fault}; nothing of it landed.");

    public static RpcException MalformedAfter(long request, string? misfit, long accepted)
    {
        string cause = misfit is null
            ? $"Request {request} is not a valid protobuf message"
            : $"The columns of request {request} make no rows: {misfit}";
        return Invalid($"request[{request}]", $"{cause}; {accepted} rows of earlier requests landed.");
    }

    public static RpcException InvalidOpen(string field, string text) => Invalid($"request[0].open.{field}", text);

    public static RpcException UnknownTable(string table, IEnumerable<string> tables) => new(
        StatusCode.NotFound,
        $"There is no table '{GrpcErrors.Shorten(table)}' that producers may write; there are "
        + $"{string.Join(", ", tables)}.");

    public static RpcException OlderEpoch(string producer, long epoch, long current) => new(
        StatusCode.Aborted,
        $"Producer '{producer}' has had a session with epoch {current}; epoch {epoch} is older.");

    public static RpcException Fenced(string producer, long epoch) => new(
        StatusCode.Aborted, $"A session with epoch {epoch} of producer '{producer}' has taken over.");

    public static RpcException TooManyProducers() => GrpcErrors.TryLater(
        StatusCode.ResourceExhausted, "The table remembers as many producers as Ingest:Log:MaxProducers allows.");

    public static RpcException NotDurable() => GrpcErrors.TryLater(
        StatusCode.Unavailable, "The log could not be written; send again what was not acknowledged.");

    /// <summary>Of a sender's own making: rows between rejected ones faster than these become durable.</summary>
    public static RpcException TooManyGaps(string text) => GrpcErrors.TryLater(
        StatusCode.ResourceExhausted, $"Too many rows were rejected one by one: {text}; send again what was not acknowledged.");

    /// <summary>Adds how many rows the server has for good, as the way in which every stream's early end says it.</summary>
    public static RpcException WithAccepted(RpcException error, long rows)
    {
        error.Trailers.Add(IngestTrailers.AcceptedCount, rows.ToString(CultureInfo.InvariantCulture));
        return error;
    }

    public static RpcException CreditIgnored() => GrpcErrors.TryLater(
        StatusCode.ResourceExhausted, "The session went on to send far more bytes than it had credit for.");

    /// <summary>The call is refused, or ends early, since the server has run out of something.</summary>
    public static RpcException Refused(RefusalReason reason, TimeSpan retryAfter) => GrpcErrors.TryLater(
        StatusCode.ResourceExhausted, RefusalText(reason), retryAfter);

    /// <summary>Why rows are refused, for people.</summary>
    public static string RefusalText(RefusalReason reason) => reason == RefusalReason.Disk
        ? "the log has reached its limit on disk and waits for the store"
        : "the server is short of memory";

    public static RpcException TooManyRows(long request, int max)
    {
        var never = new RpcException(
            StatusCode.ResourceExhausted, $"Request {request} has more rows than a request may have, {max}.");
        never.Trailers.Add(GrpcHeaders.RetryPushback, "-1");
        return never;
    }

    public static RpcException Unread(TimeSpan timeout) => GrpcErrors.TryLater(
        StatusCode.ResourceExhausted, $"The session's responses were not read for {timeout.TotalSeconds:0.#} s.");

    private static RpcException Invalid(string field, string text) => RpcException.WithDetails(
        StatusCode.InvalidArgument,
        text,
        new BadRequest
        {
            FieldViolations = { new BadRequest.Types.FieldViolation { Field = field, Description = text } },
        });
}
