using System.Text;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Ingest.Agents;
using Ingest.Server.Services;
using Ingest.V1;

namespace Ingest.Server.Http;

/// <summary>
/// <c>GET /agents</c>, <c>GET /agents/{name}/config</c> and <c>PATCH /agents/{name}/config</c>: what
/// <see cref="AgentService"/> says, as JSON.
/// </summary>
/// <remarks>
/// A PATCH has an object of values by name; null is the default's again, and <c>If-Match: "REVISION"</c> refuses it when
/// another change was quicker. Statuses: 400 with the keys that are wrong, 404 with the agents that there are, 412, 413.
/// </remarks>
internal static class AgentEndpoints
{
    private const int MaxBodyBytes = 64 * 1024;

    private static readonly JsonFormatter s_json = new(
        JsonFormatter.Settings.Default.WithPreserveProtoFieldNames(true).WithFormatDefaultValues(true).WithIndentation());

    /// <summary>Maps the three.</summary>
    public static void MapAgents(this IEndpointRouteBuilder routes, AgentRuntime agents)
    {
        routes.MapGet("/agents", http => WriteAsync(
            http, new ListAgentsResponse { Agents = { agents.Agents.Select(AgentMessages.Of) } })).WithDisplayName("Agents");
        routes.MapGet("/agents/{name}/config", http => AnswerAsync(http, agents, isChange: false))
            .WithDisplayName("Agent settings");
        routes.MapPatch("/agents/{name}/config", http => AnswerAsync(http, agents, isChange: true))
            .WithDisplayName("Agent settings");
    }

    private static async Task AnswerAsync(HttpContext http, AgentRuntime agents, bool isChange)
    {
        try
        {
            AgentConfigurationValues values = isChange
                ? await agents.UpdateConfigurationAsync(
                    NameOf(http), await ReadAsync(http), RevisionOf(http), http.RequestAborted)
                : agents.ConfigurationOf(NameOf(http));
            http.Response.Headers.ETag = $"\"{values.Revision}\"";
            await WriteAsync(http, AgentMessages.ConfigOf(agents, NameOf(http)));
        }
        catch (AgentException e)
        {
            await RefuseAsync(http, StatusOf(e.Fault), e.Message);
        }
        catch (BadHttpRequestException e)
        {
            await RefuseAsync(http, e.StatusCode, e.Message);
        }
    }

    private static string NameOf(HttpContext http) => (string)http.Request.RouteValues["name"]!;

    private static long RevisionOf(HttpContext http)
    {
        string text = http.Request.Headers.IfMatch.ToString().Trim('"');
        return text.Length == 0 || text == "*" ? 0
            : long.TryParse(text, out long revision) && revision > 0 ? revision
            : throw new BadHttpRequestException("If-Match is no revision, as ETag gives it.");
    }

    private static async Task<Struct> ReadAsync(HttpContext http)
    {
        if (http.Request.ContentLength > MaxBodyBytes)
        {
            throw new BadHttpRequestException($"Settings have at most {MaxBodyBytes} bytes.", StatusCodes.Status413PayloadTooLarge);
        }

        byte[] body = new byte[MaxBodyBytes + 1];
        int length = await http.Request.Body.ReadAtLeastAsync(body, body.Length, throwOnEndOfStream: false, http.RequestAborted);
        if (length > MaxBodyBytes)
        {
            throw new BadHttpRequestException($"Settings have at most {MaxBodyBytes} bytes.", StatusCodes.Status413PayloadTooLarge);
        }

        try
        {
            return JsonParser.Default.Parse<Struct>(Encoding.UTF8.GetString(body, 0, length));
        }
        catch (Exception e) when (e is InvalidJsonException or InvalidProtocolBufferException)
        {
            throw new BadHttpRequestException($"The body is no JSON object: {e.Message}");
        }
    }

    private static int StatusOf(AgentFault fault) => fault switch
    {
        AgentFault.NotFound => StatusCodes.Status404NotFound,
        AgentFault.Conflict => StatusCodes.Status412PreconditionFailed,
        AgentFault.Invalid => StatusCodes.Status400BadRequest,
        AgentFault.Unavailable => StatusCodes.Status503ServiceUnavailable,
        _ => StatusCodes.Status500InternalServerError,
    };

    private static Task WriteAsync(HttpContext http, IMessage message) =>
        WriteAsync(http, StatusCodes.Status200OK, s_json.Format(message));

    private static Task RefuseAsync(HttpContext http, int status, string message) => WriteAsync(
        http, status, s_json.Format(new Struct { Fields = { ["error"] = Value.ForString(message) } }));

    private static Task WriteAsync(HttpContext http, int status, string json)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = "application/json; charset=utf-8";
        http.Response.Headers.CacheControl = "no-store";
        return http.Response.WriteAsync(json + "\n", http.RequestAborted);
    }
}
