using System.Text;
using System.Text.RegularExpressions;
using Ingest.Stores;

namespace Ingest.Server.Http;

/// <summary><c>POST /sql</c>: one read-only query of the store, its answer streamed.</summary>
/// <remarks>
/// Statuses: 200 with the answer; 400 with the engine's own text; 403 for a write; 413 for a text over
/// <see cref="MaxQueryBytes"/>; 503 when the store is out of reach. An answer that breaks off is never closed as if it
/// were whole: the connection is aborted. A client that reads slowly slows the engine; one that leaves, or takes nothing
/// for <see cref="QueryLimits.UnreadTimeout"/>, ends the query.
/// </remarks>
public static partial class SqlEndpoint
{
    /// <summary>Longest text of a query, in bytes.</summary>
    public const int MaxQueryBytes = 1 << 20;

    /// <summary>What Kestrel holds of a response that is not read, about; so a write of as much waits for the client.</summary>
    private const int PartBytes = 64 * 1024;

    /// <summary>Request and response header with the answer's format, named as ClickHouse's own HTTP interface does.</summary>
    public const string FormatHeader = "X-ClickHouse-Format";

    /// <summary>Maps <c>POST /sql</c>.</summary>
    /// <param name="routes">Where to.</param>
    /// <param name="store">What is queried.</param>
    /// <param name="limits">What one query may use.</param>
    public static IEndpointConventionBuilder MapSql(
        this IEndpointRouteBuilder routes, IStore store, QueryLimits limits) =>
        routes.MapPost("/sql", context => AnswerAsync(context, store, limits));

    private static async Task AnswerAsync(HttpContext context, IStore store, QueryLimits limits)
    {
        string? query = await ReadQueryAsync(context);
        if (query is null)
        {
            return;
        }

        string wanted = WantedFormat(context.Request);
        if (wanted.Length > 0)
        {
            if (!FormatName().IsMatch(wanted))
            {
                await RefuseAsync(context, StatusCodes.Status400BadRequest, "The format's name is not a name.");
                return;
            }

            limits = limits with { DefaultFormat = wanted };
        }

        await StreamAsync(context, store, query, limits);
    }

    private static async Task StreamAsync(HttpContext context, IStore store, string query, QueryLimits limits)
    {
        CancellationToken left = context.RequestAborted;
        HttpResponse response = context.Response;
        try
        {
            await using IAsyncEnumerator<ReadOnlyMemory<byte>> pieces =
                store.QueryAsync(query, limits, left).GetAsyncEnumerator(left);
            bool more = await pieces.MoveNextAsync();
            Match named = FormatClause().Match(query);
            string format = named.Success ? named.Groups[1].Value : limits.DefaultFormat;
            response.ContentType = ContentType(format);
            response.Headers[FormatHeader] = format;
            while (more)
            {
                await WriteAsync(response.Body, pieces.Current, limits.UnreadTimeout, left);
                more = await pieces.MoveNextAsync();
            }
        }
        catch (TimeoutException e)
        {
            LogMessages.AnswerBrokeOff(
                context.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(SqlEndpoint)), e.Message);
            context.Abort();
        }
        catch (OperationCanceledException) when (left.IsCancellationRequested)
        {
            // Nobody is there to be told.
        }
        catch (StoreException e) when (!response.HasStarted)
        {
            response.Clear();
            if (e.Fault == StoreFault.Unavailable)
            {
                response.Headers.RetryAfter = "1";
            }

            await RefuseAsync(context, StatusOf(e.Fault), e.Message);
        }
        catch (StoreException e)
        {
            LogMessages.AnswerBrokeOff(
                context.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(SqlEndpoint)), e.Message);
            context.Abort();
        }
    }

    /// <summary>Writes a piece, of which the client takes one part after the other in time.</summary>
    /// <exception cref="TimeoutException">It does not.</exception>
    private static async ValueTask WriteAsync(
        Stream body, ReadOnlyMemory<byte> piece, TimeSpan timeout, CancellationToken left)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(left);
        try
        {
            for (int offset = 0; offset < piece.Length; offset += PartBytes)
            {
                limit.CancelAfter(timeout);
                await body.WriteAsync(piece.Slice(offset, Math.Min(PartBytes, piece.Length - offset)), limit.Token);
            }
        }
        catch (OperationCanceledException) when (!left.IsCancellationRequested)
        {
            throw new TimeoutException($"the client took nothing of it for {timeout.TotalSeconds:0.#} s");
        }
    }

    private static int StatusOf(StoreFault fault) => fault switch
    {
        StoreFault.ReadOnly => StatusCodes.Status403Forbidden,
        StoreFault.Unavailable => StatusCodes.Status503ServiceUnavailable,
        _ => StatusCodes.Status400BadRequest,
    };

    /// <summary>The query's text; null when it was refused.</summary>
    private static async Task<string?> ReadQueryAsync(HttpContext context)
    {
        string parameter = context.Request.Query["query"].ToString();
        byte[] buffer = new byte[Math.Clamp(context.Request.ContentLength ?? 4096, 1, MaxQueryBytes) + 1];
        int length = 0;
        while (true)
        {
            int read = await context.Request.Body.ReadAsync(buffer.AsMemory(length), context.RequestAborted);
            if (read == 0)
            {
                break;
            }

            length += read;
            if (length > MaxQueryBytes)
            {
                await RefuseAsync(
                    context, StatusCodes.Status413PayloadTooLarge, $"A query has at most {MaxQueryBytes} bytes.");
                return null;
            }

            if (length == buffer.Length)
            {
                Array.Resize(ref buffer, Math.Min(2 * length, MaxQueryBytes + 1));
            }
        }

        if (length > 0 && parameter.Length > 0)
        {
            await RefuseAsync(
                context, StatusCodes.Status400BadRequest,
                "The query stands in the body or in the parameter `query`, not in both.");
            return null;
        }

        try
        {
            return length > 0 ? new UTF8Encoding(false, true).GetString(buffer, 0, length) : parameter;
        }
        catch (DecoderFallbackException)
        {
            await RefuseAsync(context, StatusCodes.Status400BadRequest, "The query is not UTF-8.");
            return null;
        }
    }

    private static string WantedFormat(HttpRequest request)
    {
        string parameter = request.Query["default_format"].ToString();
        return parameter.Length > 0 ? parameter : request.Headers[FormatHeader].ToString();
    }

    private static Task RefuseAsync(HttpContext context, int status, string message)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain; charset=utf-8";
        return context.Response.WriteAsync(message + "\n", context.RequestAborted);
    }

    /// <summary>Media type of an answer, as ClickHouse's own HTTP interface gives it.</summary>
    private static string ContentType(string format) => format.ToUpperInvariant() switch
    {
        "JSON" or "JSONCOMPACT" or "JSONSTRINGS" or "JSONCOLUMNS" or "JSONCOLUMNSWITHMETADATA" or "JSONCOMPACTCOLUMNS"
            or "JSONOBJECTEACHROW" => "application/json; charset=UTF-8",
        var name when name.StartsWith("JSON", StringComparison.Ordinal) || name is "NDJSON" =>
            "application/x-ndjson; charset=UTF-8",
        var name when name.StartsWith("CSV", StringComparison.Ordinal) => "text/csv; charset=UTF-8",
        var name when name.StartsWith("TSV", StringComparison.Ordinal)
            || name.StartsWith("TABSEPARATED", StringComparison.Ordinal) =>
            "text/tab-separated-values; charset=UTF-8",
        "XML" => "application/xml; charset=UTF-8",
        "PARQUET" => "application/vnd.apache.parquet",
        "ARROWSTREAM" => "application/vnd.apache.arrow.stream",
        "ARROW" => "application/vnd.apache.arrow.file",
        "NATIVE" or "ROWBINARY" or "ROWBINARYWITHNAMES" or "ROWBINARYWITHNAMESANDTYPES" or "AVRO" or "ORC" or "NPY"
            or "MSGPACK" or "PROTOBUF" or "BSONEACHROW" => "application/octet-stream",
        _ => "text/plain; charset=UTF-8",
    };

    [GeneratedRegex(@"^\w{1,64}$")]
    private static partial Regex FormatName();

    // A guess for two headers, not a parser: the engine decides what the format is.
    [GeneratedRegex(@"\bFORMAT\s+(\w+)\s*;?\s*$", RegexOptions.IgnoreCase)]
    private static partial Regex FormatClause();
}
