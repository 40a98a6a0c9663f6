using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using Ingest.Topics;
using Microsoft.Net.Http.Headers;

namespace Ingest.Server.Realtime;

/// <summary>A client that follows topics by server-sent events, as <c>EventSource</c> does.</summary>
/// <remarks>
/// Every message is an unnamed event, so that <c>onmessage</c> has it: <c>data</c> is the JSON that a WebSocket would
/// get, and <c>id</c> the resume token, which browsers send back as <c>Last-Event-ID</c> when they connect again.
/// </remarks>
#pragma warning disable CA1001 // Of the token's source: see there.
internal sealed class SseStream : RealtimeConnection
#pragma warning restore CA1001
{
    /// <summary>Header of the answer: where the stream really starts, a JSON list of places in topics.</summary>
    public const string StartHeader = "Ingest-Start";

    // A header that is longer is refused by some clients; what is left out stands in the first event.
    private const int MaxStartPositions = 20;

    private readonly HttpContext _http;
    private readonly SseOptions _options;

    // Never disposed: a drain may still end what has ended. It holds no timer.
    private readonly CancellationTokenSource _ended = new();
    private Subscription? _cursor;
    private byte[] _toldToken = [];

    public SseStream(HttpContext http, RealtimeServices services)
        : base(http, http.Response.BodyWriter, services, RealtimeTransport.Sse)
    {
        _http = http;
        _options = services.Options.Sse;
    }

    /// <inheritdoc/>
    public override IReadOnlyCollection<string> SubscriptionIds => [""];

    private PipeWriter Pipe => Output.Pipe;

    /// <summary>Serves the client until it leaves or the server stops.</summary>
    /// <exception cref="TopicException">What it wants cannot be; nothing has been answered yet.</exception>
    public async Task RunAsync(SubscriptionRequest request)
    {
        await using CancellationTokenRegistration onLeft = Gone.UnsafeRegister(
            static ended => ((CancellationTokenSource)ended!).Cancel(), _ended);
        using Subscription cursor = await SubscribeAsync(request.Options, _ended.Token);
        _cursor = cursor;
        WriteHeaders(cursor);
        Services.Connections.Add(this);
        try
        {
            await StartAsync(request, cursor);
            await PumpAsync(cursor);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            // The client has left, or the server stops.
        }
        finally
        {
            Services.Connections.Remove(this);

            // Who waits for the turn sees now that the stream has ended; the response must not be written any more.
            await Output.EnterAsync();
            Output.Close();
            Output.Exit();
        }
    }

    /// <inheritdoc/>
    public override async Task SayAsync(ReadOnlyMemory<byte> message)
    {
        await Output.EnterAsync();
        try
        {
            if (!Output.IsClosed)
            {
                CountSent(1, WriteData(message.Span));
                await FlushAsync();
            }
        }
        finally
        {
            Output.Exit();
        }
    }

    /// <inheritdoc/>
    public override void OnTick()
    {
        if (Services.Time.GetElapsedTime(Output.FlushedAt) >= _options.HeartbeatPeriod && !Output.IsBusy)
        {
            _ = BeatAsync();
        }
    }

    /// <inheritdoc/>
    public override async Task DrainAsync()
    {
        Task told = TellDrainAsync();
        await Task.Delay(Services.Options.DrainDelay, Services.Time);
        await _ended.CancelAsync();
        await told;
    }

    private void WriteHeaders(Subscription cursor)
    {
        HttpResponse response = _http.Response;
        response.ContentType = "text/event-stream";
        response.Headers.CacheControl = "no-store";
        response.Headers[HeaderNames.XContentTypeOptions] = "nosniff";

        // nginx holds answers back to send more at once.
        response.Headers["X-Accel-Buffering"] = "no";
        var positions = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(positions))
        {
            json.WriteStartArray();
            foreach (V1.TopicPosition position in cursor.Positions.Take(MaxStartPositions))
            {
                RealtimeMessages.WritePosition(json, position);
            }

            json.WriteEndArray();
        }

        response.Headers[StartHeader] = Encoding.ASCII.GetString(positions.WrittenSpan);
    }

    // The first event has the token before the first update: a client that is cut off before one came misses nothing.
    private async Task StartAsync(SubscriptionRequest request, Subscription cursor)
    {
        await Output.EnterAsync();
        try
        {
            int bytes = WriteText(string.Create(
                CultureInfo.InvariantCulture, $"retry: {_options.RetryDelay.TotalMilliseconds:0}\n"));
            bytes += WriteId(cursor.ResumeToken);
            bytes += WriteData(RealtimeMessages.Subscribed(
                null, request.Options.Topics, cursor.Positions, cursor.ResumeToken, request.Ignored).Span);
            CountSent(1, bytes);
            await FlushAsync();
        }
        finally
        {
            Output.Exit();
        }
    }

    private async Task PumpAsync(Subscription cursor)
    {
        while (await cursor.WaitToReadAsync(_ended.Token))
        {
            await Output.EnterAsync();
            try
            {
                WriteWaiting(cursor);
                if (!await FlushAsync())
                {
                    return;
                }
            }
            finally
            {
                Output.Exit();
            }
        }

        if (cursor.End == SubscriptionEnd.TooSlow)
        {
            Counts.OnTooSlow();
            Services.Metrics.OnError();
            await SayAsync(RealtimeMessages.Failed(
                "slow_consumer", "The client fell behind; connect again and go on with resume_token.", null, null,
                cursor.ResumeToken));
        }
    }

    private void WriteWaiting(Subscription cursor)
    {
        int messages = 0;
        int bytes = 0;
        while (bytes < RealtimeOutput.TurnBytes && cursor.TryRead(out SubscriptionItem item))
        {
            bytes += WriteId(cursor.ResumeToken);
            bytes += item.Update is { } update
                ? WriteEvent(update.Json.Span)
                : WriteData(RealtimeMessages.Skipped(item.Gap!, null, cursor.ResumeToken).Span);
            messages++;
        }

        CountSent(messages, bytes);
    }

    private async Task BeatAsync()
    {
        await Output.EnterAsync();
        try
        {
            if (Output.IsClosed || _cursor is not { } cursor)
            {
                return;
            }

            // The token moves on without an event when a filter leaves updates out.
            Pipe.Write(": heartbeat\n"u8);
            if (!cursor.ResumeToken.SequenceEqual(_toldToken))
            {
                _toldToken = cursor.ResumeToken.ToArray();
                WriteId(_toldToken);
            }

            Pipe.Write("\n"u8);
            await FlushAsync();
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

    // Clients that all come back at once would find the next server busy with nothing else.
    private async Task TellDrainAsync()
    {
        await Output.EnterAsync();
        try
        {
            if (Output.IsClosed)
            {
                return;
            }

            double wait = _options.RetryDelay.TotalMilliseconds * (0.5 + Random.Shared.NextDouble());
            int bytes = WriteText(string.Create(CultureInfo.InvariantCulture, $"retry: {wait:0}\n"));
            CountSent(1, bytes + WriteData(RealtimeMessages.Draining(Services.Options.DrainDelay).Span));
            await FlushAsync();
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

    private int WriteText(string text)
    {
        long written = Encoding.UTF8.GetBytes(text, Pipe);
        return (int)written;
    }

    private int WriteId(ReadOnlySpan<byte> token)
    {
        Pipe.Write("id: "u8);
        Pipe.Write(token);
        Pipe.Write("\n"u8);
        return token.Length + 5;
    }

    // JSON has no line break in it, so a message is one line.
    private int WriteData(ReadOnlySpan<byte> json)
    {
        Pipe.Write("data: "u8);
        Pipe.Write(json);
        Pipe.Write("\n\n"u8);
        return json.Length + 8;
    }

    private int WriteEvent(ReadOnlySpan<byte> update)
    {
        ReadOnlySpan<byte> start = RealtimeMessages.EventStart;
        Pipe.Write("data: "u8);
        Pipe.Write(start);
        Pipe.Write(update);
        Pipe.Write("}\n\n"u8);
        return start.Length + update.Length + 9;
    }
}
