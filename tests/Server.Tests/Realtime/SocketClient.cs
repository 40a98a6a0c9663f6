using System.Net.WebSockets;
using System.Text;
using System.Text.Json.Nodes;

namespace Ingest.Server.Tests.Realtime;

/// <summary>.NET's own client, message by message.</summary>
internal sealed class SocketClient : IDisposable
{
    // For what hangs; a machine that is starved takes its time.
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);

    private readonly ClientWebSocket _socket = new();

    public WebSocketCloseStatus? CloseStatus => _socket.CloseStatus;

    public string? CloseText => _socket.CloseStatusDescription;

    public static async Task<SocketClient> ConnectAsync(Uri address, Action<ClientWebSocketOptions>? configure = null)
    {
        var client = new SocketClient();
        configure?.Invoke(client._socket.Options);
        using var limit = new CancellationTokenSource(s_limit);
        await client._socket.ConnectAsync(address, limit.Token);
        return client;
    }

    public Task SendAsync(string text, WebSocketMessageType type = WebSocketMessageType.Text) =>
        SendAsync(Encoding.UTF8.GetBytes(text), type);

    public async Task SendAsync(byte[] bytes, WebSocketMessageType type)
    {
        using var limit = new CancellationTokenSource(s_limit);
        await _socket.SendAsync(bytes, type, endOfMessage: true, limit.Token);
    }

    /// <summary>Reads a message; null when the server has closed, which is answered.</summary>
    public async Task<JsonObject?> TryReadAsync()
    {
        using var limit = new CancellationTokenSource(s_limit);
        using var message = new MemoryStream();
        byte[] buffer = new byte[4096];
        while (true)
        {
            ValueWebSocketReceiveResult result = await _socket.ReceiveAsync(buffer.AsMemory(), limit.Token);
            if (result.MessageType == WebSocketMessageType.Close)
            {
                await _socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, limit.Token);
                return null;
            }

            message.Write(buffer, 0, result.Count);
            if (result.EndOfMessage)
            {
                return JsonNode.Parse(message.ToArray())!.AsObject();
            }
        }
    }

    /// <summary>Reads a message of a type.</summary>
    public async Task<JsonObject> ReadAsync(string type)
    {
        JsonObject? message = await TryReadAsync();
        Assert.True(message is not null, $"closed with {CloseStatus} {CloseText} instead of {type}");
        Assert.True(
            (string?)message["message_type"] == type, $"{type} was expected, but came {message.ToJsonString()}");
        return message;
    }

    /// <summary>Sends a subscribe message and reads its confirmation.</summary>
    public async Task<JsonObject> SubscribeAsync(string payload)
    {
        await SendAsync($$"""{"message_type":"subscribe","payload":{{payload}}}""");
        return await ReadAsync("subscription_confirmed");
    }

    /// <summary>Reads so many alerts and returns their numbers, and the last token.</summary>
    public async Task<(List<int> Numbers, string Token)> ReadAlertsAsync(int count)
    {
        var numbers = new List<int>();
        string token = "";
        while (numbers.Count < count)
        {
            JsonObject message = await ReadAsync("realtime_event");
            numbers.Add(NumberOf(message));
            token = (string)message["resume_token"]!;
        }

        return (numbers, token);
    }

    /// <summary>The number of the alert in a message.</summary>
    public static int NumberOf(JsonObject message) =>
        int.Parse((string)message["payload"]!["alert"]!["alert_id"]!, null);

    /// <summary>Shows that the connection lives.</summary>
    public async Task PingAsync()
    {
        await SendAsync("""{"message_type":"ping","payload":{"n":1}}""");
        JsonObject pong = await ReadAsync("pong");
        Assert.Equal("""{"n":1}""", pong["payload"]!.ToJsonString());
    }

    /// <summary>Closes as a client does, and reads what comes until the answer.</summary>
    public async Task CloseAsync()
    {
        using var limit = new CancellationTokenSource(s_limit);
        await _socket.CloseAsync(WebSocketCloseStatus.NormalClosure, "bye", limit.Token);
    }

    /// <summary>Reads until the server closes.</summary>
    public async Task<List<JsonObject>> ReadToEndAsync()
    {
        var messages = new List<JsonObject>();
        while (await TryReadAsync() is { } message)
        {
            messages.Add(message);
        }

        return messages;
    }

    /// <summary>Goes without a word.</summary>
    public void Abort() => _socket.Abort();

    public void Dispose() => _socket.Dispose();
}
