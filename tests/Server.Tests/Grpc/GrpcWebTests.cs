using System.Net;
using System.Text;
using Google.Protobuf;
using Grpc.Testing;
using Ingest.Server.Grpc;
using Ingest.Testing.V1;

namespace Ingest.Server.Tests.Grpc;

public class GrpcWebTests
{
    private const string Unary = "/grpc.testing.TestService/UnaryCall";
    private const string Output = "/grpc.testing.TestService/StreamingOutputCall";
    private const string Binary = "application/grpc-web+proto";
    private const string Text = "application/grpc-web-text";
    private const string Origin = "https://maps.example.com";

    [Fact]
    public async Task A_binary_call_ends_in_a_frame_of_trailers()
    {
        await using var host = await TestHost.StartAsync();

        var (http, body) = await SendAsync(host, Unary, Binary, Frames.Of(new SimpleRequest { ResponseSize = 9 }),
            ("x-grpc-test-echo-initial", "a"), ("x-grpc-test-echo-trailing-bin", "q6s="));

        Assert.Equal(HttpStatusCode.OK, http.StatusCode);
        Assert.Equal(Binary, http.Content.Headers.ContentType!.ToString());
        Assert.Equal(["a"], http.Headers.GetValues("x-grpc-test-echo-initial"));
        var frames = Frames.Read(body);
        Assert.Equal([0, 0x80], frames.Select(frame => frame.Flags));
        Assert.Equal(9, SimpleResponse.Parser.ParseFrom(frames[0].Message).Payload.Body.Length);
        Assert.Equal("grpc-status: 0\r\nx-grpc-test-echo-trailing-bin: q6s\r\n",
            Encoding.ASCII.GetString(frames[1].Message));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(5)]
    public async Task A_text_call_is_base64_in_one_text_or_several(int splitAt)
    {
        await using var host = await TestHost.StartAsync();
        var request = new StreamingOutputCallRequest();
        request.ResponseParameters.Add([new() { Size = 1 }, new() { Size = 2 }, new() { Size = 20_000 }]);
        var frame = Frames.Of(request);
        var text = Convert.ToBase64String(frame[..splitAt]) + Convert.ToBase64String(frame[splitAt..]);

        var (http, body) = await SendAsync(host, Output, Text, Encoding.ASCII.GetBytes(text));

        Assert.Equal("application/grpc-web-text+proto", http.Content.Headers.ContentType!.ToString());
        var frames = Frames.Read(DecodeTexts(Encoding.ASCII.GetString(body)));
        Assert.Equal([0, 0, 0, 0x80], frames.Select(f => f.Flags));
        Assert.Equal([1, 2, 20_000], frames.Take(3).Select(f =>
            StreamingOutputCallResponse.Parser.ParseFrom(f.Message).Payload.Body.Length));
        Assert.Equal("grpc-status: 0\r\n", Encoding.ASCII.GetString(frames[3].Message));
    }

    [Theory]
    [InlineData("!!!!")]
    [InlineData("AAAAA")]
    public async Task A_text_that_is_not_base64_is_INTERNAL(string text)
    {
        await using var host = await TestHost.StartAsync();

        var (_, body) = await SendAsync(host, Unary, Text, Encoding.ASCII.GetBytes(text));

        var trailers = Encoding.ASCII.GetString(
            Assert.Single(Frames.Read(DecodeTexts(Encoding.ASCII.GetString(body)))).Message);
        Assert.Contains("grpc-status: 13\r\n", trailers, StringComparison.Ordinal);
        Assert.Contains("not base64", trailers, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_large_text_request_passes()
    {
        await using var host = await TestHost.StartAsync();
        var request = new SimpleRequest { Payload = new() { Body = ByteString.CopyFrom(new byte[3_000_001]) } };

        var (_, body) = await SendAsync(host, Unary, Text,
            Encoding.ASCII.GetBytes(Convert.ToBase64String(Frames.Of(request))));

        Assert.Equal(2, Frames.Read(DecodeTexts(Encoding.ASCII.GetString(body))).Count);
    }

    [Fact]
    public async Task An_error_comes_in_the_trailers_frame()
    {
        await using var host = await TestHost.StartAsync();

        var (_, body) = await SendAsync(host, "/ingest.testing.v1.ProbeService/Fail", Binary,
            Frames.Of(new FailRequest { Kind = FailRequest.Types.Kind.Details }));

        var frame = Assert.Single(Frames.Read(body));
        Assert.Equal(0x80, frame.Flags);
        Assert.Contains("grpc-status: 8\r\n", Encoding.ASCII.GetString(frame.Message), StringComparison.Ordinal);
        Assert.Contains("grpc-status-details-bin: ", Encoding.ASCII.GetString(frame.Message), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Unknown_methods_answer_in_the_trailers_frame_too()
    {
        await using var host = await TestHost.StartAsync();

        var (_, body) = await SendAsync(host, "/no.Such/Method", Binary, []);

        Assert.Contains("grpc-status: 12\r\n", Encoding.ASCII.GetString(Frames.Read(body).Single().Message),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Plain_gRPC_over_HTTP_1_1_is_told_to_upgrade()
    {
        await using var host = await TestHost.StartAsync();

        var (http, _) = await SendAsync(host, Unary, "application/grpc", Frames.Of([]));

        Assert.Equal(HttpStatusCode.UpgradeRequired, http.StatusCode);
    }

    [Theory]
    [InlineData(Origin, true)]
    [InlineData("https://evil.example.com", false)]
    public async Task Pages_of_allowed_origins_alone_may_call(string origin, bool allowed)
    {
        await using var host = await TestHost.StartAsync(new GrpcServerOptions { WebAllowedOrigins = [Origin] });
        using var preflight = new HttpRequestMessage(HttpMethod.Options, new Uri(host.WebAddress, Unary));
        preflight.Headers.Add("Origin", origin);
        preflight.Headers.Add("Access-Control-Request-Method", "POST");
        preflight.Headers.Add("Access-Control-Request-Headers", "content-type,x-grpc-web,authorization");
        using var client = new HttpClient();

        var answer = await client.SendAsync(preflight);
        var (http, _) = await SendAsync(host, Unary, Binary, Frames.Of([]), ("Origin", origin));

        Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
        Assert.Equal(allowed ? origin : null, Header(answer, "Access-Control-Allow-Origin"));
        Assert.Equal(allowed ? "content-type,x-grpc-web,authorization" : null,
            Header(answer, "Access-Control-Allow-Headers"));
        Assert.Equal(allowed ? origin : null, Header(http, "Access-Control-Allow-Origin"));
        Assert.Equal(allowed, Header(http, "Access-Control-Expose-Headers")?
            .Contains("grpc-status,grpc-message,grpc-status-details-bin", StringComparison.Ordinal) ?? false);
    }

    private static string? Header(HttpResponseMessage http, string name) =>
        http.Headers.TryGetValues(name, out var values) ? string.Join(",", values) : null;

    private static byte[] DecodeTexts(string texts)
    {
        // Each text is padded to whole quads.
        List<byte> bytes = [];
        for (var at = 0; at < texts.Length; at += 4)
        {
            bytes.AddRange(Convert.FromBase64String(texts.Substring(at, 4)));
        }

        return [.. bytes];
    }

    private static async Task<(HttpResponseMessage Http, byte[] Body)> SendAsync(TestHost host, string path,
        string contentType, byte[] body, params (string Name, string Value)[] headers)
    {
        using var client = new HttpClient { Timeout = Wait.Limit };
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(host.WebAddress, path))
        {
            Content = RawCall.Bytes(body, contentType),
        };
        foreach (var (name, value) in headers)
        {
            request.Headers.Add(name, value);
        }

        var http = await client.SendAsync(request);
        return (http, await http.Content.ReadAsByteArrayAsync());
    }
}
