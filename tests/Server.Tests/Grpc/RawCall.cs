using System.Net.Http.Headers;
using Google.Protobuf;
using Ingest.Protocol;

namespace Ingest.Server.Tests.Grpc;

/// <summary>A gRPC call by hand over <see cref="HttpClient"/>: what goes out is what the test says.</summary>
internal sealed record RawCall(HttpResponseMessage Http, byte[] Body)
{
    /// <summary>Whether the status came in the response headers, without a body.</summary>
    public bool IsTrailersOnly => Http.Headers.Contains(GrpcHeaders.Status) && Body.Length == 0;

    public StatusCode Status => (StatusCode)int.Parse(Header(GrpcHeaders.Status)!);

    public string Message => PercentEncoding.Decode(Header(GrpcHeaders.Message) ?? "");

    public Google.Rpc.Status? Details => Header(GrpcHeaders.StatusDetails) is { } text
        && Metadata.TryDecodeBinary(text, out var bytes) ? Google.Rpc.Status.Parser.ParseFrom(bytes) : null;

    public static async Task<RawCall> SendAsync(HttpClient client, string path, HttpContent body,
        params (string Name, string Value)[] headers)
    {
        using var request = Request(path, body, headers);
        using var limit = new CancellationTokenSource(Wait.Limit);
        var http = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, limit.Token);
        return new RawCall(http, await http.Content.ReadAsByteArrayAsync(limit.Token));
    }

    public static Task<RawCall> SendAsync(HttpClient client, string path, byte[] body,
        params (string Name, string Value)[] headers) => SendAsync(client, path, Bytes(body), headers);

    public static HttpRequestMessage Request(string path, HttpContent body,
        params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, path)
        {
            Version = System.Net.HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = body,
        };
        request.Headers.TE.Add(new TransferCodingWithQualityHeaderValue("trailers"));
        foreach (var (name, value) in headers)
        {
            request.Headers.Add(name, value);
        }

        return request;
    }

    public static ByteArrayContent Bytes(byte[] body, string contentType = GrpcHeaders.ContentType)
    {
        var content = new ByteArrayContent(body);
        content.Headers.ContentType = MediaTypeHeaderValue.Parse(contentType);
        return content;
    }

    /// <summary>A header or trailer.</summary>
    public string? Header(string name) =>
        Http.Headers.TryGetValues(name, out var values) || Http.TrailingHeaders.TryGetValues(name, out values)
            ? string.Join(",", values)
            : null;

    /// <summary>The only message.</summary>
    public T Single<T>(MessageParser<T> parser)
        where T : IMessage<T> => parser.ParseFrom(Assert.Single(Frames.Read(Body)).Message);
}
