using System.Net;
using Google.Protobuf;

namespace Ingest.EndToEnd.Tests;

/// <summary>A client-streaming call made of raw bytes by .NET's HTTP client, for what no proper client would send.</summary>
internal static class RawCall
{
    public static async Task<Answer> SendAsync(
        string address, string method, byte[] body, params (string Name, string Value)[] headers)
    {
        using var client = new HttpClient
        {
            DefaultRequestVersion = HttpVersion.Version20,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        using var request = new HttpRequestMessage(
            HttpMethod.Post, address + (method.StartsWith('/') ? method : $"/ingest.v1.IngestService/{method}"));
        request.Content = new ByteArrayContent(body);
        request.Content.Headers.TryAddWithoutValidation("content-type", "application/grpc");
        request.Headers.TryAddWithoutValidation("te", "trailers");
        foreach ((string name, string value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        request.Version = HttpVersion.Version20;
        request.VersionPolicy = HttpVersionPolicy.RequestVersionExact;
        using HttpResponseMessage response = await client.SendAsync(request);
        byte[] bytes = await response.Content.ReadAsByteArrayAsync();
        var trailers = response.TrailingHeaders.Concat(response.Headers)
            .GroupBy(h => h.Key).ToDictionary(h => h.Key, h => string.Join(",", h.First().Value));
        return new Answer(trailers, bytes);
    }

    /// <summary>What came back.</summary>
    internal sealed record Answer(IReadOnlyDictionary<string, string> Trailers, byte[] Body)
    {
        public int Status => int.Parse(Trailers["grpc-status"], System.Globalization.CultureInfo.InvariantCulture);

        public string Message => Uri.UnescapeDataString(Trailers.GetValueOrDefault("grpc-message", ""));

        public T Response<T>(MessageParser<T> parser)
            where T : IMessage<T> => parser.ParseFrom(Body.AsSpan(5).ToArray());
    }
}
