using System.Net.WebSockets;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Ingest.V1;

namespace Ingest.EndToEnd.Tests.Subscriptions;

/// <summary>
/// Follows the topic of the tests over HTTP as pages do: when a connection ends it goes on, by the token and by the
/// next of its transports.
/// </summary>
internal sealed class WebFollower(string httpAddress, Ledger ledger, params WebTransport[] transports)
{
    private string? _token;

    /// <summary>The transports of its subscriptions, in order.</summary>
    public List<WebTransport> Turns { get; } = [];

    /// <summary>Reads until the update with the number -1.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        while (true)
        {
            try
            {
                await foreach (JsonObject message in MessagesAsync(transports[Turns.Count % transports.Length], stop))
                {
                    if (Take(message) is { } update && Numbers.Of(update) == -1)
                    {
                        return;
                    }
                }
            }
            catch (Exception e) when (e is HttpRequestException or WebSocketException or IOException)
            {
                // Killed, or not there again yet.
                await Task.Delay(20, stop);
            }
        }
    }

    private Update? Take(JsonObject message)
    {
        Update? update = null;
        switch ((string)message["message_type"]!)
        {
            case "subscription_confirmed":
                Turns.Add(transports[Turns.Count % transports.Length]);
                break;
            case "realtime_event":
                update = JsonParser.Default.Parse<Update>(message["payload"]!.ToJsonString());
                ledger.Add(update, null);
                break;
            case "gap":
                JsonObject payload = message["payload"]!.AsObject();
                payload["reason"] = $"GAP_REASON_{((string)payload["reason"]!).ToUpperInvariant()}";
                ledger.Add(null, JsonParser.Default.Parse<Gap>(payload.ToJsonString()));
                break;
            case "error":
                Assert.Fail(message.ToJsonString());
                break;
        }

        _token = (string?)(message["resume_token"] ?? message["payload"]!["resume_token"]) ?? _token;
        return update;
    }

    private IAsyncEnumerable<JsonObject> MessagesAsync(WebTransport transport, CancellationToken stop) =>
        transport == WebTransport.Socket ? OverSocketAsync(stop) : OverEventsAsync(stop);

    private async IAsyncEnumerable<JsonObject> OverSocketAsync([EnumeratorCancellation] CancellationToken stop)
    {
        using var socket = new ClientWebSocket();
        string from = _token is null ? "from=earliest" : $"resume_token={_token}";
        var address = new UriBuilder(httpAddress)
        {
            Scheme = "ws", Path = "/ws", Query = $"topics={SubscriptionHost.Topic}&overflow=block&{from}",
        };
        await socket.ConnectAsync(address.Uri, stop);
        byte[] buffer = new byte[1 << 20];
        int used = 0;
        while (true)
        {
            ValueWebSocketReceiveResult read = await socket.ReceiveAsync(buffer.AsMemory(used), stop);
            Assert.False(
                read.MessageType == WebSocketMessageType.Close,
                $"{socket.CloseStatus} {socket.CloseStatusDescription}");
            used += read.Count;
            if (read.EndOfMessage)
            {
                yield return JsonNode.Parse(buffer.AsSpan(0, used))!.AsObject();
                used = 0;
            }
        }
    }

    private async IAsyncEnumerable<JsonObject> OverEventsAsync([EnumeratorCancellation] CancellationToken stop)
    {
        using var client = new HttpClient { BaseAddress = new Uri(httpAddress) };
        using var request = new HttpRequestMessage(
            HttpMethod.Get, $"/stream/topic/{SubscriptionHost.Topic}?overflow=block&from=earliest");
        if (_token is not null)
        {
            request.Headers.Add("Last-Event-ID", _token); // It wins over the address, as browsers want it.
        }

        using HttpResponseMessage response = await client.SendAsync(
            request, HttpCompletionOption.ResponseHeadersRead, stop);
        Assert.True(response.IsSuccessStatusCode, $"{response.StatusCode}");
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(stop));
        string? id = null;
        while (await reader.ReadLineAsync(stop) is { } line)
        {
            if (line.StartsWith("id: ", StringComparison.Ordinal))
            {
                id = line[4..];
            }
            else if (line.StartsWith("data: ", StringComparison.Ordinal))
            {
                // What is cut off in the middle of a line has no place yet.
                JsonObject message = JsonNode.Parse(line[6..])!.AsObject();
                message["resume_token"] = id;
                yield return message;
            }
        }
    }
}
