using Ingest.Server.Tests.Grpc;
using Ingest.Server.Tests.Http2.Hpack;

namespace Ingest.Server.Tests.Http2;

/// <summary>Requests that are no requests (RFC 9113, 8.1.1): refused, each alone.</summary>
[Collection(Http2Servers.Collection)]
public class MalformedRequestTests(Http2Servers servers)
{
    private static readonly Dictionary<string, (string Name, string Value)[]> s_fields = new()
    {
        ["a name in upper case"] = With(("X-Name", "value")),
        ["a name of nothing"] = With(("", "value")),
        ["a name with a NUL"] = With(("x\0", "value")),
        ["a value with a NUL"] = With(("x-name", "a\0b")),
        ["a value with CR LF"] = With(("x-name", "a\r\nb: c")),
        ["an unknown pseudo-header"] = With((":unknown", "value"), first: true),
        ["a pseudo-header of responses"] = With((":status", "200"), first: true),
        ["a pseudo-header behind a header"] = [.. Without(":path"), (":path", RawRequest.Empty)],
        ["no :method"] = Without(":method"),
        ["no :scheme"] = Without(":scheme"),
        ["no :path"] = Without(":path"),
        ["an empty :path"] = Changed(":path", ""),
        ["a :path without a slash"] = Changed(":path", "grpc.testing.TestService/EmptyCall"),
        [":method twice"] = With((":method", "POST"), first: true),
        [":scheme twice"] = With((":scheme", "http"), first: true),
        [":path twice"] = With((":path", RawRequest.Empty), first: true),
        [":authority twice"] = With((":authority", "localhost"), first: true),
        ["connection"] = With(("connection", "keep-alive")),
        ["te that is not trailers"] = Changed("te", "trailers, deflate"),
        ["a content-length that is no number"] = With(("content-length", "five")),
        ["a negative content-length"] = With(("content-length", "-5")),
    };

    public static TheoryData<string, string> Fields => Http2Servers.Each(s_fields.Keys);

    [Theory]
    [MemberData(nameof(Fields))]
    public async Task A_malformed_header_is_refused(string server, string name)
    {
        await using var connection = await servers.OpenAsync(server);

        await connection.SendAsync(
            RawFrame.Headers(1, RawRequest.Block(s_fields[name])), RawFrame.Data(1, Frames.Of([]), end: true));

        // A name of nothing is a fault of HPACK to Kestrel.
        await connection.RefusedAsync(1, name == "a name of nothing" ? [RawError.Compression] : []);
    }

    // RFC 9113, 8.2.1 and 8.2.2: Kestrel takes these.
    [Theory]
    [InlineData("x name", "value")]
    [InlineData("keep-alive", "300")]
    [InlineData("proxy-connection", "keep-alive")]
    [InlineData("transfer-encoding", "chunked")]
    [InlineData("upgrade", "foo")]
    public async Task A_header_that_Kestrel_takes_against_the_RFC_is_refused(string name, string value)
    {
        foreach (var server in Http2Servers.Names.Except([Http2Servers.Kestrel]))
        {
            await using var connection = await servers.OpenAsync(server);

            await connection.SendAsync(RawFrame.Headers(1, RawRequest.Block(With((name, value)))));

            await connection.RefusedAsync(1);
        }
    }

    [Theory]
    [MemberData(nameof(Http2Servers.All), MemberType = typeof(Http2Servers))]
    public async Task A_body_that_is_not_as_long_as_its_header_says_is_an_error(string server)
    {
        var body = Frames.Of([]);
        RawFrame[][] bodies =
        [
            [RawFrame.Data(1, body, end: true)],
            [RawFrame.Data(1, body[..2]), RawFrame.Data(1, body[2..], end: true)],
            [RawFrame.Data(1, body), RawFrame.Headers(1, RawRequest.Block(("a", "b")), end: true)],
        ];
        int[] lengths = [1, 4, 6, 100];
        foreach (var (length, frames) in lengths.SelectMany(length => bodies, (l, frames) => (l, frames)))
        {
            await using var connection = await servers.OpenAsync(server);

            await connection.SendAsync(Headers(RawRequest.Count, length));
            foreach (var frame in frames.TakeWhile(_ => !connection.Response(1).IsOver && connection.GoAway is null))
            {
                await connection.SendAsync(frame);
                await connection.PingAsync();
            }

            await connection.StreamErrorAsync(1, RawError.ProtocolError);
        }
    }

    [Theory]
    [MemberData(nameof(Http2Servers.All), MemberType = typeof(Http2Servers))]
    public async Task Headers_alone_that_promise_a_body_are_an_error(string server)
    {
        await using var connection = await servers.OpenAsync(server);

        await connection.SendAsync(Headers(RawRequest.Count, 1) with { Flags = RawFrame.EndHeaders | RawFrame.EndStream });

        await connection.StreamErrorAsync(1, RawError.ProtocolError);
    }

    [Theory]
    [MemberData(nameof(Http2Servers.All), MemberType = typeof(Http2Servers))]
    public async Task A_body_as_long_as_its_header_says_is_taken_however_it_is_cut_and_padded(string server)
    {
        var body = Frames.Of([]);
        await using var connection = await servers.OpenAsync(server);

        await connection.SendAsync(Headers(RawRequest.Empty, body.Length), RawFrame.PaddedData(1, body[..2], 9, 9),
            RawFrame.Data(1, []), RawFrame.Data(1, body[2..]), RawFrame.PaddedData(1, [], 3, 3, end: true));

        await connection.EndedAsync(1, "0");
    }

    [Theory]
    [MemberData(nameof(Http2Servers.All), MemberType = typeof(Http2Servers))]
    public async Task Headers_above_the_limits_are_refused(string server)
    {
        (string, string)[][] blocks =
        [
            [.. Enumerable.Range(0, 4).Select(i => ($"x-{i}", new string('v', 10_000)))],
            [.. Enumerable.Range(0, 200).Select(i => ($"x-{i}", ""))],
            [(new string('n', 40_000), "")],
        ];
        foreach (var fields in blocks)
        {
            await using var connection = await servers.OpenAsync(server);
            var block = RawRequest.Call(RawRequest.Empty, fields).Chunk(16_384).ToArray();

            await connection.SendAsync(
            [
                block.Length == 1 ? RawFrame.Headers(1, block[0]) : RawFrame.OpenHeaders(1, block[0]),
                .. block.Skip(1).Select((part, i) => RawFrame.Continuation(1, part, i == block.Length - 2)),
            ]);

            await connection.UntilAsync(
                () => connection.Response(1).IsOver || connection.GoAway is not null, "a refusal");
            if (connection.GoAway is not null)
            {
                await connection.ConnectionErrorAsync(
                    RawError.ProtocolError, RawError.EnhanceYourCalm, RawError.Compression);
            }
            else
            {
                Assert.True(connection.Response(1)[":status"] is "431" || connection.Response(1).ResetBy
                    is RawError.ProtocolError or RawError.EnhanceYourCalm or RawError.RefusedStream, connection.Story());
                await connection.AliveAsync();
            }
        }
    }

    [Theory]
    [MemberData(nameof(Http2Servers.All), MemberType = typeof(Http2Servers))]
    public async Task Headers_within_the_limits_arrive(string server)
    {
        await using var connection = await servers.OpenAsync(server);
        var value = new string('v', 20_000);
        var block = RawRequest.Call(RawRequest.Unary, ("x-grpc-test-echo-initial", value)).Chunk(16_384).ToArray();

        await connection.SendAsync(RawFrame.OpenHeaders(1, block[0]), RawFrame.Continuation(1, block[1], true),
            RawFrame.Data(1, Frames.Of([]), end: true));

        // The response's headers are more than a frame, too.
        Assert.Equal(value, (await connection.EndedAsync(1, "0"))["x-grpc-test-echo-initial"]);
    }

    [Theory]
    [MemberData(nameof(Http2Servers.All), MemberType = typeof(Http2Servers))]
    public async Task Cookies_in_pieces_and_a_host_instead_of_an_authority_are_taken(string server)
    {
        await using var connection = await servers.OpenAsync(server);
        (string, string)[] fields = [.. Without(":authority"), ("host", "localhost"), ("cookie", "a=1"), ("cookie", "b=2")];

        await connection.SendAsync(
            RawFrame.Headers(1, RawRequest.Block(fields)), RawFrame.Data(1, Frames.Of([]), end: true));

        await connection.EndedAsync(1, "0");
    }

    [Theory]
    [MemberData(nameof(Http2Servers.All), MemberType = typeof(Http2Servers))]
    public async Task What_a_refused_request_indexed_is_known_afterwards(string server)
    {
        await using var connection = await servers.OpenAsync(server);
        var fields = RawRequest.Fields.SelectMany(field => Blocks.Indexed(field.Name, field.Value)).ToArray();
        await connection.SendAsync(RawFrame.Headers(1, [.. fields, .. Blocks.Literal("X", "")], end: true));
        await connection.UntilAsync(() => connection.Response(1).IsOver || connection.GoAway is not null, "a refusal");
        if (connection.GoAway is not null)
        {
            return;
        }

        await connection.SendAsync(
            RawFrame.Headers(3, [0xC3, 0xC2, 0xC1, 0xC0, 0xBF, 0xBE]), RawFrame.Data(3, Frames.Of([]), end: true));

        await connection.EndedAsync(3, "0");
    }

    private static RawFrame Headers(string path, int contentLength) =>
        RawFrame.Headers(1, RawRequest.Call(path, ("content-length", $"{contentLength}")));

    private static (string Name, string Value)[] With((string, string) field, bool first = false) =>
        first ? [field, .. RawRequest.Fields] : [.. RawRequest.Fields, field];

    private static (string Name, string Value)[] Without(string name) =>
        [.. RawRequest.Fields.Where(field => field.Name != name)];

    private static (string Name, string Value)[] Changed(string name, string value) =>
        [.. RawRequest.Fields.Select(field => field.Name == name ? (name, value) : field)];
}
