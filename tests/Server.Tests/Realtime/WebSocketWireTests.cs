using System.IO.Compression;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json.Nodes;
using Ingest.Server.Realtime;
using Ingest.Server.Tests.Observability;

namespace Ingest.Server.Tests.Realtime;

/// <summary>The protocol below the messages: RFC 6455 and 7692.</summary>
[Collection(ObservedHost.OneAtATime)]
public sealed class WebSocketWireTests
{
    private const string Subscribe =
        """{"message_type":"subscribe","payload":{"topics":["alerts"],"from":"earliest"}}""";

    [Fact]
    public async Task Handshake_is_answered_as_the_RFC_says()
    {
        await using RealtimeServer server = await RealtimeServer.StartAsync();
        using RawSocket socket = await RawSocket.ConnectAsync(
            server.Socket(), ("Sec-WebSocket-Protocol", "other, ingest.v1"), ("Connection", "keep-alive, Upgrade"));
        Assert.StartsWith("HTTP/1.1 101 ", socket.Answer);
        Assert.Contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", socket.Answer);
        Assert.Contains("Sec-WebSocket-Protocol: ingest.v1", socket.Answer);
        Assert.DoesNotContain("Extensions", socket.Answer);
    }

    [Theory]
    [InlineData("Upgrade", "", "426", "Sec-WebSocket-Version: 13")]
    [InlineData("Connection", "close", "426", "Upgrade: websocket")]
    [InlineData("Sec-WebSocket-Version", "8", "426", "Sec-WebSocket-Version: 13")]
    [InlineData("Sec-WebSocket-Key", "", "400", "text/plain")]
    [InlineData("Sec-WebSocket-Key", "c2hvcnQ=", "400", "text/plain")]
    public async Task Request_that_is_no_handshake_is_refused(string header, string value, string status, string words)
    {
        await using RealtimeServer server = await RealtimeServer.StartAsync();
        using RawSocket socket = await RawSocket.ConnectAsync(server.Socket(), (header, value));
        Assert.StartsWith($"HTTP/1.1 {status} ", socket.Answer);
        Assert.Contains(words, socket.Answer);
    }

    [Theory]
    [InlineData("permessage-deflate", "permessage-deflate; server_no_context_takeover; client_no_context_takeover")]
    [InlineData("permessage-deflate; client_max_window_bits",
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover")]
    [InlineData("permessage-deflate; server_max_window_bits=\"10\"",
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=10")]
    [InlineData("permessage-deflate; nonsense, permessage-deflate; server_no_context_takeover",
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover")]
    [InlineData("permessage-deflate; server_max_window_bits=16", null)]
    [InlineData("permessage-deflate; server_max_window_bits", null)]
    [InlineData("permessage-deflate; client_no_context_takeover; client_no_context_takeover", null)]
    [InlineData("permessage-deflate; server_no_context_takeover=1", null)]
    [InlineData("x-webkit-deflate-frame", null)]
    public async Task Compression_is_agreed_on_without_windows_that_stay(string offer, string? answer)
    {
        await using RealtimeServer server = await RealtimeServer.StartAsync();
        using RawSocket socket = await RawSocket.ConnectAsync(server.Socket(), ("Sec-WebSocket-Extensions", offer));
        string? agreed = socket.Answer.Split("\r\n")
            .SingleOrDefault(line => line.StartsWith("Sec-WebSocket-Extensions: ", StringComparison.Ordinal));
        Assert.Equal(answer, agreed?["Sec-WebSocket-Extensions: ".Length..]);
    }

    [Theory]
    [InlineData("permessage-deflate", 400, true)]
    [InlineData("permessage-deflate; server_max_window_bits=9", 400, false)]
    [InlineData("permessage-deflate; server_max_window_bits=9", 100, true)]
    [InlineData("permessage-deflate", 20_000, false)]
    [InlineData("", 400, false)]
    public async Task Updates_are_compressed_once_for_all_where_it_is_worth_it_and_fits(
        string offer, int textLength, bool compressed)
    {
        await using RealtimeServer server = await RealtimeServer.StartAsync();
        await server.PublishAsync(0, 3, message: new string('m', textLength));
        for (int connection = 0; connection < 2; connection++)
        {
            using RawSocket socket = await RawSocket.ConnectAsync(server.Socket(), ("Sec-WebSocket-Extensions", offer));
            await socket.SendTextAsync(Subscribe);
            Assert.Equal("subscription_confirmed", (string?)Read(await socket.ReadAsync())["message_type"]);
            for (int number = 0; number < 3; number++)
            {
                (byte First, byte[] Payload) frame = await socket.ReadAsync();
                Assert.Equal(compressed ? 0xC1 : 0x81, frame.First);
                JsonObject update = Read(frame);
                Assert.Equal(number, SocketClient.NumberOf(update));
                Assert.Equal(textLength, ((string?)update["payload"]!["alert"]!["message"] ?? "").Length);
                Assert.Equal("s1", (string?)update["id"]);
                Assert.NotEmpty((string)update["resume_token"]!);
            }
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Clients_own_windows_do_not_matter(bool takeover)
    {
        await using RealtimeServer server = await RealtimeServer.StartAsync();
        using SocketClient client = await SocketClient.ConnectAsync(
            server.Socket(), options => options.DangerousDeflateOptions = new WebSocketDeflateOptions
            {
                ClientContextTakeover = takeover,
                ServerContextTakeover = takeover,
                ServerMaxWindowBits = 12,
            });
        await client.SubscribeAsync("""{"topics":["alerts"]}""");
        for (int number = 0; number < 20; number++)
        {
            await client.PingAsync();
            await server.PublishAsync(number, message: new string((char)('a' + number), 200 * number));
            Assert.Equal(number, SocketClient.NumberOf(await client.ReadAsync("realtime_event")));
        }
    }

    [Fact]
    public async Task Message_in_fragments_with_a_ping_between_is_one_message()
    {
        await using RealtimeServer server = await RealtimeServer.StartAsync();
        using RawSocket socket = await RawSocket.ConnectAsync(server.Socket());
        await socket.SendAsync([0x01, 0x83, 0, 0, 0, 0, .. "{\"m"u8]);
        await socket.SendAsync([0x89, 0x82, 0, 0, 0, 0, .. "hi"u8]);
        (byte first, byte[] payload) = await socket.ReadAsync();
        Assert.Equal(0x8A, first);
        Assert.Equal("hi"u8, payload);
        await socket.SendAsync([0x80, 0x80 | 20, 0, 0, 0, 0, .. "essage_type\":\"ping\"}"u8]);
        Assert.Equal("pong", (string?)Read(await socket.ReadAsync())["message_type"]);
    }

    [Theory]
    [InlineData("an unmasked frame", 1002, new byte[] { 0x81, 0x04, 0x41, 0x41, 0x41, 0x41 })]
    [InlineData("a reserved bit", 1002, new byte[] { 0xC1, 0x81, 0, 0, 0, 0, 0x41 })]
    [InlineData("no UTF-8", 1007, new byte[] { 0x81, 0x82, 0, 0, 0, 0, 0xC3, 0x28 })]
    public async Task Frames_that_break_the_protocol_are_answered_with_a_close(string what, int code, byte[] frame)
    {
        await using RealtimeServer server = await RealtimeServer.StartAsync();
        using RawSocket socket = await RawSocket.ConnectAsync(server.Socket());
        await socket.SendAsync(frame);
        (byte first, byte[] payload) = await socket.ReadAsync();
        Assert.True(first == 0x88, what);
        Assert.Equal(code, (payload[0] << 8) | payload[1]);
        await socket.ReadToEndAsync();
    }

    [Fact]
    public async Task Silent_client_is_pinged_and_cut_off_when_it_does_not_answer()
    {
        await using RealtimeServer server = await RealtimeServer.StartAsync(new RealtimeOptions
        {
            WebSocket = new WebSocketOptions
            {
                PingPeriod = TimeSpan.FromMilliseconds(100), PingTimeout = TimeSpan.FromMilliseconds(300),
            },
        });
        using RawSocket socket = await RawSocket.ConnectAsync(server.Socket());
        (byte first, _) = await socket.ReadAsync();
        Assert.Equal(0x89, first);
        await socket.ReadToEndAsync();
    }

    private static JsonObject Read((byte First, byte[] Payload) frame)
    {
        byte[] text = frame.Payload;
        if ((frame.First & 0x40) != 0)
        {
            using var whole = new MemoryStream([.. text, 0, 0, 0xFF, 0xFF, 3, 0]);
            using var inflate = new DeflateStream(whole, CompressionMode.Decompress);
            using var inflated = new MemoryStream();
            inflate.CopyTo(inflated);
            Assert.True(inflated.Length > text.Length, "it has become longer");
            text = inflated.ToArray();
        }

        return JsonNode.Parse(Encoding.UTF8.GetString(text))!.AsObject();
    }
}
