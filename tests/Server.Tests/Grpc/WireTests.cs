using System.Net;
using Google.Protobuf;
using Google.Rpc;
using Grpc.Testing;
using Ingest.Protocol;
using Ingest.Server.Grpc;
using Ingest.Testing.V1;
using Microsoft.Extensions.Logging;

namespace Ingest.Server.Tests.Grpc;

public class WireTests : TransportTests
{
    private const string Unary = "/grpc.testing.TestService/UnaryCall";
    private const string Input = "/grpc.testing.TestService/StreamingInputCall";
    private const string Fail = "/ingest.testing.v1.ProbeService/Fail";
    private const int Limit = 64 * 1024;

    private static readonly GrpcServerOptions SmallMessages = new() { MaxMessageBytes = Limit };

    [Fact]
    public async Task A_unary_call_is_answered_with_message_and_trailers()
    {
        await using var host = await StartAsync();

        var call = await RawCall.SendAsync(host.Client, Unary, Frames.Of(new SimpleRequest { ResponseSize = 10 }));

        Assert.Equal(HttpStatusCode.OK, call.Http.StatusCode);
        Assert.Equal("application/grpc", call.Http.Content.Headers.ContentType!.ToString());
        Assert.Equal("identity,gzip", call.Header("grpc-accept-encoding"));
        Assert.Equal(10, call.Single(SimpleResponse.Parser).Payload.Body.Length);
        Assert.Equal(["0"], call.Http.TrailingHeaders.GetValues("grpc-status"));
        Assert.False(call.Http.Headers.Contains("server"));
    }

    [Theory]
    [InlineData("application/grpc+proto", HttpStatusCode.OK)]
    [InlineData("application/grpc; charset=utf-8", HttpStatusCode.OK)]
    [InlineData("application/json", HttpStatusCode.UnsupportedMediaType)]
    [InlineData("application/grpc+json", HttpStatusCode.UnsupportedMediaType)]
    [InlineData("application/grpcx", HttpStatusCode.UnsupportedMediaType)]
    public async Task Only_content_types_of_grpc_with_protobuf_are_taken(string contentType, HttpStatusCode status)
    {
        await using var host = await StartAsync();

        var call = await RawCall.SendAsync(host.Client, Unary, RawCall.Bytes(Frames.Of([]), contentType));

        Assert.Equal(status, call.Http.StatusCode);
    }

    [Fact]
    public async Task Only_POST_is_taken()
    {
        await using var host = await StartAsync();
        foreach (var verb in new[] { HttpMethod.Get, HttpMethod.Put, HttpMethod.Delete, HttpMethod.Options })
        {
            using var request = new HttpRequestMessage(verb, Unary)
            {
                Version = HttpVersion.Version20,
                VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            };
            var response = await host.Client.SendAsync(request);
            Assert.Equal(HttpStatusCode.MethodNotAllowed, response.StatusCode);
        }
    }

    [Theory]
    [InlineData("/grpc.testing.TestService/UnimplementedCall", "not implemented")]
    [InlineData("/grpc.testing.TestService/NoSuchCall", "not implemented")]
    [InlineData("/grpc.testing.UnimplementedService/UnimplementedCall", "not known")]
    public async Task What_is_not_bound_is_UNIMPLEMENTED_in_a_trailers_only_answer(string path, string text)
    {
        await using var host = await StartAsync();

        var call = await RawCall.SendAsync(host.Client, path, Frames.Of([]));

        Assert.Equal(StatusCode.Unimplemented, call.Status);
        Assert.True(call.IsTrailersOnly);
        Assert.Contains(text, call.Message, StringComparison.Ordinal);
        Assert.Contains(path, call.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_no_gRPC_and_not_mapped_is_404()
    {
        await using var host = await StartAsync();

        var call = await RawCall.SendAsync(host.Client, "/no/route", RawCall.Bytes([], "application/json"));

        Assert.Equal(HttpStatusCode.NotFound, call.Http.StatusCode);
    }

    [Theory]
    [InlineData("", StatusCode.Unimplemented, "had none")]
    [InlineData("00000000000000000000", StatusCode.Unimplemented, "had more")]
    [InlineData("000000", StatusCode.Internal, "within a message frame")]
    [InlineData("00000000050A", StatusCode.Internal, "within a message frame")]
    [InlineData("0000000001FF", StatusCode.InvalidArgument, "not valid protobuf")]
    [InlineData("00FFFFFFFF00", StatusCode.ResourceExhausted, "4294967295 bytes; the limit is 65536 bytes")]
    [InlineData("0000010001", StatusCode.ResourceExhausted, "65537 bytes; the limit is 65536 bytes")]
    [InlineData("0400000000", StatusCode.Internal, "flags 0x04")]
    [InlineData("0100000000", StatusCode.Internal, "no grpc-encoding")]
    public async Task Bad_input_ends_the_call_with_a_clear_status(string hex, StatusCode status, string text)
    {
        await using var host = await StartAsync(SmallMessages);

        var call = await RawCall.SendAsync(host.Client, Unary, Convert.FromHexString(hex));

        Assert.Equal(status, call.Status);
        Assert.Contains(text, call.Message, StringComparison.Ordinal);
        var next = await RawCall.SendAsync(host.Client, Unary, Frames.Of([]));
        Assert.Equal(StatusCode.Ok, next.Status);
    }

    [Fact]
    public async Task A_gzip_bomb_is_RESOURCE_EXHAUSTED_and_names_the_limit()
    {
        await using var host = await StartAsync(SmallMessages);
        var bomb = Frames.Gzip(new byte[50 * 1024 * 1024]);
        Assert.True(bomb.Length < Limit);

        var call = await RawCall.SendAsync(host.Client, Unary, Frames.Of(bomb, 1), ("grpc-encoding", "gzip"));

        Assert.Equal(StatusCode.ResourceExhausted, call.Status);
        Assert.Contains($"{Limit} bytes", call.Message, StringComparison.Ordinal);
        Assert.Contains($"{bomb.Length} compressed bytes", call.Message, StringComparison.Ordinal);
        Assert.Equal("-1", call.Header("grpc-retry-pushback-ms"));
    }

    [Fact]
    public async Task A_message_of_the_default_limit_passes_and_one_byte_more_does_not()
    {
        await using var host = await StartAsync();
        const int max = 16 * 1024 * 1024;
        var request = new StreamingInputCallRequest
        {
            Payload = new Payload { Body = ByteString.CopyFrom(new byte[max]) },
        };
        var overhead = request.CalculateSize() - max;
        foreach (var (excess, status) in new[] { (0, StatusCode.Ok), (1, StatusCode.ResourceExhausted) })
        {
            request.Payload.Body = ByteString.CopyFrom(new byte[max - overhead + excess]);
            Assert.Equal(max + excess, request.CalculateSize());

            var call = await RawCall.SendAsync(host.Client, Input, Frames.Of(request));

            Assert.Equal(status, call.Status);
        }
    }

    [Fact]
    public async Task An_unknown_encoding_is_UNIMPLEMENTED_and_the_known_ones_are_named()
    {
        await using var host = await StartAsync();

        var call = await RawCall.SendAsync(host.Client, Unary, Frames.Of([], 1), ("grpc-encoding", "snappy"));

        Assert.Equal(StatusCode.Unimplemented, call.Status);
        Assert.Contains("snappy", call.Message, StringComparison.Ordinal);
        Assert.Equal("identity,gzip", call.Header("grpc-accept-encoding"));
    }

    [Theory]
    [InlineData("gzip", true)]
    [InlineData("identity, gzip", true)]
    [InlineData("identity", false)]
    [InlineData(null, false)]
    public async Task Responses_are_compressed_when_asked_for_and_readable(string? accepted, bool compressed)
    {
        await using var host = await StartAsync();
        var request = new SimpleRequest { ResponseSize = 5000, ResponseCompressed = new BoolValue { Value = true } };

        var call = await RawCall.SendAsync(host.Client, Unary, Frames.Of(request),
            accepted is null ? [] : [("grpc-accept-encoding", accepted)]);

        Assert.Equal(compressed ? "gzip" : null, call.Header("grpc-encoding"));
        Assert.Equal(compressed ? 1 : 0, Assert.Single(Frames.Read(call.Body)).Flags);
        Assert.Equal(compressed, call.Body.Length < 5000);
    }

    [Theory]
    [InlineData("1")]
    [InlineData("123456789S")]
    [InlineData("-1S")]
    public async Task A_malformed_timeout_is_INTERNAL(string timeout)
    {
        await using var host = await StartAsync();

        var call = await RawCall.SendAsync(host.Client, Unary, Frames.Of([]), ("grpc-timeout", timeout));

        Assert.Equal(StatusCode.Internal, call.Status);
        Assert.Contains(timeout, call.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Malformed_binary_metadata_is_INTERNAL()
    {
        await using var host = await StartAsync();

        var call = await RawCall.SendAsync(host.Client, Unary, Frames.Of([]), ("some-bin", "!!"));

        Assert.Equal(StatusCode.Internal, call.Status);
        Assert.Contains("some-bin", call.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_exception_of_the_service_is_logged_and_not_told()
    {
        await using var host = await StartAsync();

        var call = await RawCall.SendAsync(host.Client, Fail,
            Frames.Of(new FailRequest { Kind = FailRequest.Types.Kind.Exception }));

        Assert.Equal(StatusCode.Unknown, call.Status);
        Assert.DoesNotContain(ProbeService.Secret, call.Http.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain(ProbeService.Secret, call.Message, StringComparison.Ordinal);
        var entry = Assert.Single(host.Log.Entries, entry => entry.Level == LogLevel.Error);
        Assert.Contains(ProbeService.Secret, entry.Text, StringComparison.Ordinal);
        Assert.Contains(Fail, entry.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Status_details_and_trailers_arrive()
    {
        await using var host = await StartAsync();

        var call = await RawCall.SendAsync(host.Client, Fail,
            Frames.Of(new FailRequest { Kind = FailRequest.Types.Kind.Details }));

        Assert.True(call.IsTrailersOnly);
        Assert.Equal(StatusCode.ResourceExhausted, call.Status);
        Assert.Equal("Zu viel für heute ☹", call.Message);
        Assert.Equal(call.Message, call.Details!.Message);
        Assert.Equal(3, call.Details.Details[0].Unpack<RetryInfo>().RetryDelay.Seconds);
        Assert.Equal("kind", call.Details.Details[1].Unpack<BadRequest>().FieldViolations[0].Field);
        Assert.Equal("3000", call.Header("grpc-retry-pushback-ms"));
        Assert.Equal("AAH/", call.Header("probe-bin"));
    }

    [Fact]
    public async Task An_error_after_the_headers_comes_in_the_trailers()
    {
        await using var host = await StartAsync();

        var call = await RawCall.SendAsync(host.Client, Fail,
            Frames.Of(new FailRequest { Kind = FailRequest.Types.Kind.AfterHeaders }));

        Assert.False(call.IsTrailersOnly);
        Assert.Equal(["sent"], call.Http.Headers.GetValues("probe"));
        Assert.Equal(["5"], call.Http.TrailingHeaders.GetValues("grpc-status"));
    }

    [Fact]
    public async Task A_cancellation_of_the_services_own_is_CANCELLED()
    {
        await using var host = await StartAsync();

        var call = await RawCall.SendAsync(host.Client, Fail,
            Frames.Of(new FailRequest { Kind = FailRequest.Types.Kind.OwnCancellation }));

        Assert.Equal(StatusCode.Cancelled, call.Status);
    }

    [Fact]
    public async Task Many_calls_run_at_a_time_on_one_connection()
    {
        await using var host = await StartAsync();
        const int count = 1000;
        var bodies = Enumerable.Range(0, count).Select(_ => new StreamedContent()).ToList();
        var calls = bodies.Select(body =>
            RawCall.SendAsync(host.Client, "/ingest.testing.v1.ProbeService/Count", body)).ToList();

        await Wait.UntilAsync(() => host.Probe.Running == count, "all calls run");
        foreach (var body in bodies)
        {
            body.Write(Frames.Of([]));
            body.Complete();
        }

        Assert.All(await Task.WhenAll(calls), call => Assert.Equal(1, call.Single(CountResponse.Parser).Count));
    }

    [Fact]
    public void Wrong_settings_are_all_named()
    {
        var options = new GrpcServerOptions { MaxMessageBytes = 0, StreamWindowBytes = 1, ConnectionWindowBytes = 0 };

        var faults = options.Validate().ToList();

        Assert.Equal(["MaxMessageBytes", "StreamWindowBytes", "ConnectionWindowBytes"],
            faults.Select(fault => fault.Split(' ')[0]));
    }
}
