using System.Buffers;
using System.Net.WebSockets;
using System.Text.Json;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Ingest.Agents;
using Ingest.Topics;

namespace Ingest.Server.Realtime;

/// <content>What the client says.</content>
internal sealed partial class WebSocketConnection
{
    private const int FirstBufferBytes = 4096;
    private const int MaxJsonDepth = 64;

    // What of a message beyond the limit is read and thrown away before the connection is closed: some more, or a
    // client that sent one message too large could not be told; not without end.
    private const int MaxOversize = 64;

    // Refusals in a row for sending too fast, in seconds' worth of messages, before the connection is closed.
    private const int MaxSecondsTooFast = 10;

    private readonly MessageRate _rate;
    private byte[] _buffer = [];
    private int _tooFast;
    private int _agentRequests;

    private async Task ReadAsync()
    {
        while (true)
        {
            // Without a buffer while there is nothing to read.
            ValueWebSocketReceiveResult first = await _socket.ReceiveAsync(Memory<byte>.Empty, CancellationToken.None);
            if (first.MessageType == WebSocketMessageType.Close)
            {
                await AnswerCloseAsync();
                return;
            }

            _buffer = ArrayPool<byte>.Shared.Rent(FirstBufferBytes);
            try
            {
                (int length, WebSocketMessageType type) = await ReadMessageAsync(first);
                if (type == WebSocketMessageType.Close)
                {
                    await AnswerCloseAsync();
                    return;
                }

                if (!IsClosing)
                {
                    await HandleAsync(_buffer.AsMemory(0, Math.Max(length, 0)), type, isTooLarge: length < 0);
                }
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(_buffer);
                _buffer = [];
            }
        }
    }

    /// <summary>Reads the rest of a message into the buffer.</summary>
    /// <returns>Its length; -1 when it is too large.</returns>
    private async Task<(int Length, WebSocketMessageType Type)> ReadMessageAsync(ValueWebSocketReceiveResult first)
    {
        ValueWebSocketReceiveResult result = first;
        int length = 0;
        long total = 0;
        while (!result.EndOfMessage)
        {
            if (total > _options.MaxMessageBytes)
            {
                length = 0;
            }
            else if (length == _buffer.Length)
            {
                Grow();
            }

            result = await _socket.ReceiveAsync(_buffer.AsMemory(length), CancellationToken.None);
            if (result.MessageType == WebSocketMessageType.Close)
            {
                return (0, WebSocketMessageType.Close);
            }

            length += result.Count;
            total += result.Count;
            if (total > (long)MaxOversize * _options.MaxMessageBytes)
            {
                await CloseAsync(WebSocketCloseCodes.TooBig, "A message is far too large.");
                throw new WebSocketException("the client's message has no end");
            }
        }

        return (total > _options.MaxMessageBytes ? -1 : length, first.MessageType);
    }

    private void Grow()
    {
        byte[] larger = ArrayPool<byte>.Shared.Rent(2 * _buffer.Length);
        _buffer.CopyTo(larger, 0);
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = larger;
    }

    private async Task AnswerCloseAsync()
    {
        // When the server closed first, this was the answer.
        if (Interlocked.Exchange(ref _closing, 1) == 0)
        {
            await _socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None)
                .WaitAsync(s_closeTimeout, Services.Time);
        }
    }

    private async Task HandleAsync(ReadOnlyMemory<byte> message, WebSocketMessageType type, bool isTooLarge)
    {
        Received++;
        Services.Metrics.OnReceived();
        if (!_rate.TryTake())
        {
            await RefuseTooFastAsync();
            return;
        }

        _tooFast = 0;
        if (isTooLarge)
        {
            await FailAsync("too_large", $"A message has at most {_options.MaxMessageBytes} bytes.");
            return;
        }

        if (type != WebSocketMessageType.Text)
        {
            await FailAsync("malformed", "Messages are JSON in text frames.");
            return;
        }

        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(message, new JsonDocumentOptions { MaxDepth = MaxJsonDepth });
        }
        catch (JsonException e)
        {
            await FailAsync("malformed", $"The message is no JSON: {e.Message.TrimEnd('.')}.");
            return;
        }

        using (document)
        {
            await HandleAsync(document.RootElement);
        }
    }

    private async Task RefuseTooFastAsync()
    {
        if (++_tooFast > MaxSecondsTooFast * _options.MaxMessagesPerSecond)
        {
            await CloseAsync(WebSocketCloseCodes.PolicyViolation, "The client sends too fast.");
            return;
        }

        await FailAsync(
            "too_fast",
            $"A connection may send {_options.MaxMessagesPerSecond} messages a second; this one was left out.");
    }

    private async Task HandleAsync(JsonElement message)
    {
        if (message.ValueKind != JsonValueKind.Object
            || !message.TryGetProperty("message_type", out JsonElement type) || type.ValueKind != JsonValueKind.String)
        {
            await FailAsync(
                "malformed", "A message is {\"message_type\": \"...\", \"payload\": {...}}.", null, "message_type");
            return;
        }

        JsonElement payload = message.TryGetProperty("payload", out JsonElement given) ? given : default;
        switch (type.GetString())
        {
            case "ping":
                await SendAsync(RealtimeMessages.PongTo(payload));
                break;
            case "pong":
                break;
            case "subscribe":
                await SubscribeAsync(payload);
                break;
            case "unsubscribe":
                await UnsubscribeAsync(payload);
                break;
            case "ack":
                await AcknowledgeAsync(payload);
                break;
            case "agent_request":
                await AskAgentAsync(payload);
                break;
            case "broadcast":
                await BroadcastAsync(payload);
                break;
            case var unknown:
                await FailAsync(
                    "unknown_type", $"'{Shortened(unknown!)}' is no message_type; subscribe, unsubscribe, ack, "
                    + "agent_request, ping and broadcast are.", null, "message_type");
                break;
        }
    }

    private async Task SubscribeAsync(JsonElement payload)
    {
        (SubscriptionRequest? request, string field, string fault) = SubscriptionRequest.Read(payload);
        _ = request is null
            ? await FailAsync("invalid", fault, TextOf(payload, "id"), field)
            : await SubscribeAsync(request);
    }

    // By id; or those that follow exactly these topics; or all.
    private async Task UnsubscribeAsync(JsonElement payload)
    {
        string? id = TextOf(payload, "id");
        HashSet<string>? topics = TopicsOf(payload);
        List<WebSocketSubscription> ended;
        lock (_subscriptions)
        {
            ended = [.. _subscriptions.Values.Where(
                subscription => id is not null
                    ? subscription.Id == id
                    : topics?.SetEquals(subscription.Topics) ?? true)];
            ended.ForEach(subscription => _subscriptions.Remove(subscription.Id));
        }

        if (ended.Count == 0)
        {
            await FailAsync("not_subscribed", "There is no such subscription.", id, id is null ? "topics" : "id");
            return;
        }

        foreach (WebSocketSubscription subscription in ended)
        {
            await subscription.EndAsync();
            await SendAsync(RealtimeMessages.Unsubscribed(
                subscription.Id, subscription.Topics, subscription.Cursor.ResumeToken));
        }
    }

    private async Task AcknowledgeAsync(JsonElement payload)
    {
        string? id = TextOf(payload, "id");
        if (TextOf(payload, "resume_token") is not { } token)
        {
            await FailAsync("invalid", "A token is expected.", id, "resume_token");
            return;
        }

        WebSocketSubscription? subscription = id is not null ? Find(id) : Only();
        if (subscription is null)
        {
            await FailAsync("not_subscribed", "There is no such subscription.", id, "id");
            return;
        }

        try
        {
            subscription.Cursor.Ack(token);
        }
        catch (TopicException e)
        {
            await FailAsync("invalid", e.Message, id, "resume_token");
        }
    }

    private WebSocketSubscription? Only()
    {
        lock (_subscriptions)
        {
            return _subscriptions.Count == 1 ? _subscriptions.Values.First() : null;
        }
    }

    private async Task AskAgentAsync(JsonElement payload)
    {
        string? id = TextOf(payload, "id");
        if (TextOf(payload, "task_type") is not { Length: > 0 } taskType)
        {
            await FailAsync("invalid", "The task_type is missing.", id, "task_type");
            return;
        }

        var parameters = new Struct();
        if (payload.TryGetProperty("parameters", out JsonElement given) && given.ValueKind != JsonValueKind.Null)
        {
            try
            {
                parameters = JsonParser.Default.Parse<Struct>(given.GetRawText());
            }
            catch (Exception e) when (e is InvalidProtocolBufferException or InvalidJsonException)
            {
                await FailAsync("invalid", "The parameters have to be an object.", id, "parameters");
                return;
            }
        }

        if (Interlocked.Increment(ref _agentRequests) > _options.MaxAgentRequests)
        {
            Interlocked.Decrement(ref _agentRequests);
            await FailAsync(
                "too_many_requests", $"A connection may ask agents {_options.MaxAgentRequests} things at a time.", id);
            return;
        }

        // The client is read on meanwhile.
        _ = AnswerAsync(
            new AgentRequest(TextOf(payload, "query") ?? "", taskType, parameters)
            {
                Agent = TextOf(payload, "agent") ?? "",
            },
            id);
    }

    private async Task AnswerAsync(AgentRequest request, string? id)
    {
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(_ended.Token);
            limit.CancelAfter(_options.AgentTimeout);
            await SendAsync(await AskAsync(request, id, limit.Token));
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // The client is gone.
        }
        finally
        {
            Interlocked.Decrement(ref _agentRequests);
        }
    }

    private async Task<ReadOnlyMemory<byte>> AskAsync(
        AgentRequest request, string? id, CancellationToken cancellationToken)
    {
        (string Code, string Message) fault;
        try
        {
            if (Services.AskAgent is { } ask)
            {
                AgentAnswer answer = await ask(request, cancellationToken);
                return RealtimeMessages.Answered(id, answer.Agent, request.TaskType, answer.Content);
            }

            fault = ("no_agents", "This server runs no agents.");
        }
        catch (AgentException e)
        {
            fault = ("agent", e.Message);
        }
        catch (OperationCanceledException) when (!_ended.IsCancellationRequested)
        {
            fault = ("agent_timeout", $"No agent answered within {_options.AgentTimeout.TotalSeconds:0.###} s.");
        }

        Services.Metrics.OnError();
        return RealtimeMessages.Failed(fault.Code, fault.Message, id);
    }

    private async Task BroadcastAsync(JsonElement payload)
    {
        if (!_options.ClientBroadcast)
        {
            await FailAsync(
                "forbidden", "Clients may not broadcast here: Ingest:Realtime:WebSocket:ClientBroadcast is false.");
            return;
        }

        Services.Connections.Broadcast(RealtimeMessages.BroadcastOf(payload));
    }

    private static string Shortened(string text) => text.Length <= 64 ? text : text[..64] + "...";

    private static string? TextOf(JsonElement payload, string name) =>
        payload.ValueKind == JsonValueKind.Object && payload.TryGetProperty(name, out JsonElement value)
        && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;

    private static HashSet<string>? TopicsOf(JsonElement payload) =>
        payload.ValueKind != JsonValueKind.Object || !payload.TryGetProperty("topics", out JsonElement topics) ? null
        : topics.ValueKind == JsonValueKind.Array
            ? [.. topics.EnumerateArray().Where(t => t.ValueKind == JsonValueKind.String).Select(t => t.GetString()!)]
            : topics.ValueKind == JsonValueKind.String ? [topics.GetString()!] : [];
}
