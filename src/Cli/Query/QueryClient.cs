using System.Net.Http.Headers;
using System.Text;

namespace Ingest.Cli.Query;

/// <summary>Sends SQL to `POST /sql`.</summary>
internal sealed class QueryClient : IDisposable
{
    private readonly HttpClient _http;

    /// <param name="address">The server's HTTP address.</param>
    /// <param name="apiKey">The API key; null for none.</param>
    public QueryClient(Uri address, string? apiKey)
    {
        // A query may take its time; the user has Ctrl-C.
        _http = new HttpClient { BaseAddress = address, Timeout = Timeout.InfiniteTimeSpan };
        if (apiKey is not null)
        {
            _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", apiKey);
        }
    }

    /// <summary>Runs a statement and gives its answer to a reader as it comes.</summary>
    /// <exception cref="QueryException">The server cannot be reached, or refused.</exception>
    public async Task ReadAsync(string sql, Func<Stream, Task> read, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/sql")
        {
            Content = new StringContent(sql, Encoding.UTF8, "text/plain"),
        };
        try
        {
            using var response = await _http.SendAsync(
                request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            if (!response.IsSuccessStatusCode)
            {
                var text = (await response.Content.ReadAsStringAsync(cancellationToken)).Trim();
                throw new QueryException(
                    text.Length > 0 ? text : $"The server answered {(int)response.StatusCode} {response.ReasonPhrase}.",
                    isRefused: true);
            }
            await read(await response.Content.ReadAsStreamAsync(cancellationToken));
        }
        catch (HttpRequestException exception)
        {
            throw new QueryException(
                $"Cannot ask {_http.BaseAddress}: {exception.InnerException?.Message ?? exception.Message}",
                isRefused: false);
        }
    }

    public void Dispose() => _http.Dispose();
}
