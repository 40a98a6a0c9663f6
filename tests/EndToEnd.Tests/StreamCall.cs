using System.Globalization;
using System.Net;
using Ingest.V1;

namespace Ingest.EndToEnd.Tests;

/// <summary>A call of StreamGpsPoints whose requests the test sends one by one.</summary>
internal sealed class StreamCall : IDisposable
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);

    private readonly HttpClient _client = new(new SocketsHttpHandler { UseProxy = false })
    {
        Timeout = Timeout.InfiniteTimeSpan,
    };

    private readonly StreamedBody _body = new();
    private readonly Task<HttpResponseMessage> _response;

    /// <summary>Starts a call.</summary>
    public StreamCall(string address)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, address + "/ingest.v1.IngestService/StreamGpsPoints")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = _body,
        };
        request.Headers.TryAddWithoutValidation("te", "trailers");
        _response = _client.SendAsync(request);
    }

    /// <summary>Whether the server has answered.</summary>
    public bool HasEnded => _response.IsCompleted;

    /// <summary>Sends points whose order ids are the numbers.</summary>
    public void Send(int first, int count, string driver) => _body.Write(PointFrames.Frame(new StreamGpsPointsRequest
    {
        Points = { Enumerable.Range(first, count).Select(number => PointFrames.Point(number, driver)) },
    }));

    /// <summary>Sends bytes as they are.</summary>
    public void SendBytes(byte[] bytes) => _body.Write(bytes);

    /// <summary>Half-closes the call.</summary>
    public void Complete() => _body.Complete();

    /// <summary>Waits for the answer: the status, and how many rows it says are durable.</summary>
    public async Task<(int Status, long Accepted)> EndAsync()
    {
        using HttpResponseMessage response = await _response.WaitAsync(s_limit);
        byte[] body = await response.Content.ReadAsByteArrayAsync();
        Dictionary<string, string> trailers = response.TrailingHeaders.Concat(response.Headers)
            .GroupBy(header => header.Key).ToDictionary(header => header.Key, header => header.First().Value.First());
        long accepted = body.Length > 0
            ? StreamGpsPointsResponse.Parser.ParseFrom(body.AsSpan(5)).AcceptedCount
            : long.Parse(trailers.GetValueOrDefault("ingest-accepted-count", "0"), CultureInfo.InvariantCulture);
        return (int.Parse(trailers["grpc-status"], CultureInfo.InvariantCulture), accepted);
    }

    /// <summary>Leaves without a word.</summary>
    public void Dispose()
    {
        _body.Abandon();
        _client.Dispose();
    }
}
