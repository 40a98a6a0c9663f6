using System.IO.Pipelines;
using System.Net.WebSockets;
using Ingest.Topics;

namespace Ingest.Server.Realtime;

/// <summary>A client on a WebSocket: it subscribes and asks by JSON messages, and is sent updates.</summary>
/// <remarks>
/// One task reads what the client says (WebSocketConnection.Reading.cs), and one for each subscription sends its
/// updates; they take turns on <see cref="RealtimeOutput"/>. A client that sends without reading is not read either:
/// answers wait for it like updates. While idle there is no buffer and no zlib state.
/// </remarks>
internal sealed partial class WebSocketConnection : RealtimeConnection, IDisposable
{
    // For the client to take the close frame, and to answer it.
    private static readonly TimeSpan s_closeTimeout = TimeSpan.FromSeconds(2);

    // A turn is one buffer, and one write; none is held between turns.
    private static readonly StreamPipeWriterOptions s_pipe =
        new(minimumBufferSize: 2 * RealtimeOutput.TurnBytes, leaveOpen: true);

    private readonly WebSocketOptions _options;
    private readonly WebSocket _socket;
    private readonly int? _windowBits;
    private readonly Dictionary<string, WebSocketSubscription> _subscriptions = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _ended = new();
    private readonly TaskCompletionSource _readingEnded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _lastId;
    private int _closing;

    /// <summary>Makes one.</summary>
    /// <param name="http">A request that was answered 101.</param>
    /// <param name="services">What connections share.</param>
    /// <param name="stream">What the client sends, and where to answer.</param>
    /// <param name="windowBits">The client's window for compressed messages; null without compression.</param>
    public WebSocketConnection(HttpContext http, RealtimeServices services, Stream stream, int? windowBits)
        : base(http, PipeWriter.Create(stream, s_pipe), services, RealtimeTransport.WebSocket)
    {
        _options = services.Options.WebSocket;
        _windowBits = windowBits;
        _rate = new MessageRate(_options.MaxMessagesPerSecond, services.Time);
        _socket = WebSocketHandshake.Create(
            new WebSocketTransport(stream, Output, AbortWhenGivenUp), windowBits is not null, _options);
    }

    /// <inheritdoc/>
    public override IReadOnlyCollection<string> SubscriptionIds
    {
        get
        {
            lock (_subscriptions)
            {
                return [.. _subscriptions.Keys];
            }
        }
    }

    private bool IsClosing => Volatile.Read(ref _closing) != 0;

    /// <summary>Serves the client until it or the server closes.</summary>
    /// <param name="atOnce">What it follows from the start; null for nothing.</param>
    public async Task RunAsync((SubscriptionRequest? Request, string Field, string Fault)? atOnce)
    {
        try
        {
            if (atOnce is { } wanted)
            {
                await SubscribeAtOnceAsync(wanted);
            }

            await ReadAsync();
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException or IOException)
        {
            // The client is gone without a word, broke the protocol and was told so, or was cut off.
        }
        finally
        {
            _readingEnded.TrySetResult();
            Volatile.Write(ref _closing, 1);
            await _ended.CancelAsync();
            await Task.WhenAll(TakeAll().Select(subscription => subscription.EndAsync()));

            // Who waits for the turn sees now that the connection has ended; the response must not be written any more.
            await Output.EnterAsync();
            Output.Close();
            Output.Exit();
        }
    }

    /// <inheritdoc/>
    public override Task SayAsync(ReadOnlyMemory<byte> message) => SendAsync(message);

    /// <inheritdoc/>
    /// <remarks>
    /// A token moves on without a message when a filter leaves updates out; told now and then, it stays one that the
    /// topic still holds.
    /// </remarks>
    public override void OnTick()
    {
        if (Services.Time.GetElapsedTime(Output.FlushedAt) >= _options.PingPeriod && !Output.IsBusy && !IsClosing)
        {
            _ = BeatAsync();
        }
    }

    /// <inheritdoc/>
    public override async Task DrainAsync()
    {
        Task told = SendAsync(RealtimeMessages.Draining(Services.Options.DrainDelay));
        await Task.Delay(Services.Options.DrainDelay, Services.Time);
        await CloseAsync(_options.DrainCloseCode, "The server stops.");
        await told;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _socket.Dispose();
        _ended.Dispose();
    }

    private async Task BeatAsync()
    {
        await Output.EnterAsync();
        try
        {
            if (!IsClosing && WriteBeats() > 0)
            {
                await FlushAsync();
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            // The client has left.
        }
        finally
        {
            Output.Exit();
        }
    }

    private int WriteBeats()
    {
        int messages = 0;
        lock (_subscriptions)
        {
            foreach (WebSocketSubscription subscription in _subscriptions.Values.Where(s => s.HasMovedOn()))
            {
                CountSent(1, WebSocketFrames.WriteText(
                    Output.Pipe, RealtimeMessages.Beat(subscription.Id, subscription.Cursor.ResumeToken).Span));
                messages++;
            }
        }

        return messages;
    }

    // What a path subscribes has nobody who waits for an answer: what cannot be ends the connection.
    private async Task SubscribeAtOnceAsync((SubscriptionRequest? Request, string Field, string Fault) wanted)
    {
        string? field = wanted.Request is null
            ? await FailAsync("invalid", wanted.Fault, null, wanted.Field)
            : await SubscribeAsync(wanted.Request);
        if (field is not null)
        {
            bool isResume = field == "resume_token";
            await CloseAsync(
                isResume ? WebSocketCloseCodes.CannotResume : WebSocketCloseCodes.PolicyViolation,
                $"Cannot {(isResume ? "resume" : "subscribe")}; the message before says why.");
        }
    }

    /// <summary>Begins a subscription and answers.</summary>
    /// <returns>The field at fault, or null.</returns>
    private async Task<string?> SubscribeAsync(SubscriptionRequest request)
    {
        string id = request.Id.Length > 0 ? request.Id : $"s{++_lastId}";
        if (Find(id) is not null)
        {
            return await FailAsync("invalid", "There is a subscription of that id; unsubscribe it first.", id, "id");
        }

        if (SubscriptionIds.Count >= _options.MaxSubscriptions)
        {
            return await FailAsync(
                "too_many_subscriptions", $"A connection has at most {_options.MaxSubscriptions} subscriptions.", id,
                "id");
        }

        Subscription cursor;
        try
        {
            cursor = await SubscribeAsync(request.Options, _ended.Token);
        }
        catch (TopicException e)
        {
            return await FailAsync(
                e.Field == "resume_token" ? "cannot_resume" : "invalid", e.Message, id, e.Field);
        }

        var subscription = new WebSocketSubscription(id, request.Options.Topics, cursor);
        lock (_subscriptions)
        {
            _subscriptions.Add(id, subscription);
        }

        await SendAsync(RealtimeMessages.Subscribed(
            id, request.Options.Topics, cursor.Positions, cursor.ResumeToken, request.Ignored));
        subscription.Pump = PumpAsync(subscription);
        return null;
    }

    // Sends what there is, a turn's worth after the other, until the subscription or the connection ends.
    private async Task PumpAsync(WebSocketSubscription subscription)
    {
        // The reader goes on at once, also when there is much to send.
        await Task.Yield();
        Subscription cursor = subscription.Cursor;
        try
        {
            while (await cursor.WaitToReadAsync(_ended.Token))
            {
                if (!await SendWaitingAsync(subscription))
                {
                    return;
                }
            }

            await EndAsync(subscription);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            // The connection has ended.
        }
        catch (Exception e)
        {
            LogMessages.RealtimeFailed(Services.Logger, e, Remote);
            await CloseAsync(WebSocketCloseCodes.ServerError, "The server failed.");
        }
    }

    private async ValueTask<bool> SendWaitingAsync(WebSocketSubscription subscription)
    {
        await Output.EnterAsync();
        try
        {
            if (IsClosing)
            {
                return false;
            }

            WriteWaiting(subscription);
            return await FlushAsync();
        }
        finally
        {
            Output.Exit();
        }
    }

    private void WriteWaiting(WebSocketSubscription subscription)
    {
        Subscription cursor = subscription.Cursor;
        int messages = 0;
        int bytes = 0;
        while (bytes < RealtimeOutput.TurnBytes && cursor.TryRead(out SubscriptionItem item))
        {
            bytes += item.Update is { } update
                ? WriteUpdate(update, subscription)
                : WebSocketFrames.WriteText(
                    Output.Pipe, RealtimeMessages.Skipped(item.Gap!, subscription.Id, cursor.ResumeToken).Span);
            messages++;
        }

        CountSent(messages, bytes);
    }

    private int WriteUpdate(TopicUpdate update, WebSocketSubscription subscription)
    {
        ReadOnlySpan<byte> token = subscription.Cursor.ResumeToken;
        return _windowBits is { } bits && UpdateDeflate.Fits(update, bits)
            && WebSocketFrames.CanDeflate(subscription.Tail, token)
            ? WebSocketFrames.WriteDeflatedEvent(Output.Pipe, Services.Deflate.Of(update), subscription.Tail, token)
            : WebSocketFrames.WriteEvent(Output.Pipe, update.Json.Span, subscription.Tail, token);
    }

    // The subscription has ended by itself, and with it the connection.
    private async Task EndAsync(WebSocketSubscription subscription)
    {
        switch (subscription.Cursor.End)
        {
            case SubscriptionEnd.TooSlow:
                Counts.OnTooSlow();
                Services.Metrics.OnError();
                await SendAsync(RealtimeMessages.Failed(
                    "slow_consumer", "The client fell behind; connect again and go on with resume_token.",
                    subscription.Id, null, subscription.Cursor.ResumeToken));
                await CloseAsync(WebSocketCloseCodes.SlowConsumer, "The client is too slow.");
                break;
            case SubscriptionEnd.HubStopped:
                await CloseAsync(_options.DrainCloseCode, "The server stops.");
                break;
        }
    }

    /// <summary>Sends a message, unless the connection closes.</summary>
    private async Task SendAsync(ReadOnlyMemory<byte> message)
    {
        await Output.EnterAsync();
        try
        {
            if (!IsClosing)
            {
                CountSent(1, WebSocketFrames.WriteText(Output.Pipe, message.Span));
                await FlushAsync();
            }
        }
        finally
        {
            Output.Exit();
        }
    }

    /// <summary>Says what went wrong.</summary>
    /// <returns>The field at fault, or the empty string.</returns>
    private async Task<string> FailAsync(string code, string message, string? id = null, string? field = null)
    {
        Services.Metrics.OnError();
        await SendAsync(RealtimeMessages.Failed(code, message, id, field));
        return field ?? "";
    }

    /// <summary>Closes with a code: nothing is sent after it, and a client that does not answer is cut off.</summary>
    private async Task CloseAsync(int code, string text)
    {
        if (Interlocked.Exchange(ref _closing, 1) != 0)
        {
            return;
        }

        try
        {
            await _socket.CloseOutputAsync((WebSocketCloseStatus)code, text, CancellationToken.None)
                .WaitAsync(s_closeTimeout, Services.Time);
            await _readingEnded.Task.WaitAsync(s_closeTimeout, Services.Time);
        }
        catch (Exception e) when (e is TimeoutException or WebSocketException or OperationCanceledException
            or IOException or ObjectDisposedException)
        {
            Abort();
        }
    }

    // .NET's WebSocket gives a client up that does not answer its pings; its read only ends with the connection.
    private void AbortWhenGivenUp()
    {
        if (_socket.State == WebSocketState.Aborted)
        {
            Abort();
        }
    }

    private WebSocketSubscription? Find(string id)
    {
        lock (_subscriptions)
        {
            return _subscriptions.GetValueOrDefault(id);
        }
    }

    private WebSocketSubscription[] TakeAll()
    {
        lock (_subscriptions)
        {
            WebSocketSubscription[] all = [.. _subscriptions.Values];
            _subscriptions.Clear();
            return all;
        }
    }
}
