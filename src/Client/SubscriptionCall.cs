using Google.Protobuf.WellKnownTypes;
using Ingest.Client.Calls;
using Ingest.Protocol;
using Ingest.V1;

namespace Ingest.Client;

/// <summary>One call of Subscribe: gives credit and acks as its reader handles what comes. For one reader.</summary>
internal sealed class SubscriptionCall
{
    /// <summary>How long the server may take to answer that a named subscription has ended.</summary>
    private static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(2);

    private static readonly RpcMethod<SubscribeRequest, SubscribeResponse> Subscribe =
        RpcMethod.Of<SubscribeRequest, SubscribeResponse>(
            SubscriptionServiceReflection.Descriptor, "SubscriptionService", "Subscribe");

    private readonly RpcCall _call;
    private readonly SubscribeOptions _options;
    private readonly TimeProvider _time;
    private int _handled;
    private long _ackedAt;
    private string? _ack;
    private Task<ReadOnlyMemory<byte>?>? _reading;

    private SubscriptionCall(RpcCall call, SubscribeOptions options, TimeProvider time)
    {
        _call = call;
        _options = options;
        _time = time;
        _ackedAt = time.GetTimestamp();
    }

    /// <summary>Starts a call.</summary>
    /// <param name="channel">The connection.</param>
    /// <param name="options">What to follow.</param>
    /// <param name="token">Where to go on; null: where the options say.</param>
    /// <param name="cancellationToken">Gives up waiting for the connection.</param>
    public static async ValueTask<SubscriptionCall> StartAsync(
        RpcChannel channel, SubscribeOptions options, string? token, CancellationToken cancellationToken)
    {
        // Not ended by the caller's token: a named subscription has something to say then.
        var call = channel.Start(Subscribe.Path, timeout: null, CancellationToken.None);
        try
        {
            // That the call has ended is told by reading.
            await call.TrySendAsync(new SubscribeRequest { Start = ToStart(options, token) }).AsTask()
                .WaitAsync(cancellationToken).ConfigureAwait(false);
            return new SubscriptionCall(call, options, channel.TimeProvider);
        }
        catch (OperationCanceledException)
        {
            await call.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Reads the next response; null when the server has ended the call with OK.</summary>
    /// <exception cref="RpcException">The call ended with a status that is not OK.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled; the call goes on.</exception>
    public ValueTask<SubscribeResponse?> ReadAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var read = _call.ReadAsync();
        return read.IsCompletedSuccessfully
            ? new ValueTask<SubscribeResponse?>(Parse(read.Result))
            : WaitAsync(this, read, cancellationToken);

        static async ValueTask<SubscribeResponse?> WaitAsync(
            SubscriptionCall call, ValueTask<ReadOnlyMemory<byte>?> read, CancellationToken cancellationToken)
        {
            call._reading = read.AsTask();
            var message = await call._reading.WaitAsync(cancellationToken).ConfigureAwait(false);
            call._reading = null;
            return Parse(message);
        }
    }

    /// <summary>Counts an update that was handled.</summary>
    public ValueTask HandleUpdateAsync(string token)
    {
        if (_options.CreditMessages > 0 && ++_handled * 2 >= _options.CreditMessages)
        {
            return GrantAndHandleAsync(token);
        }
        return HandleAsync(token);
    }

    /// <summary>Notes how far the reader is.</summary>
    public ValueTask HandleAsync(string token)
    {
        if (_options.Name is not { Length: > 0 })
        {
            return default;
        }
        _ack = token;
        return _time.GetElapsedTime(_ackedAt) >= _options.AckInterval ? AckAsync() : default;
    }

    /// <summary>Ends the call. Of a named subscription it waits until the server has its last ack.</summary>
    /// <param name="inOrder">Whether the call has not failed.</param>
    public async ValueTask EndAsync(bool inOrder)
    {
        Task? last = _reading;
        if (inOrder && _options.Name is { Length: > 0 })
        {
            await AckAsync().ConfigureAwait(false);
            _call.CompleteRequest();

            // What still comes was not asked for, and comes again the next time.
            last = ReadToEndAsync();
            await last.WaitAsync(CloseTimeout, _time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        if (last is not null)
        {
            // The call's buffer is a read's as long as there is one.
            await _call.CancelAsync().ConfigureAwait(false);
            await last.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        await _call.DisposeAsync().ConfigureAwait(false);
    }

    private static SubscribeResponse? Parse(ReadOnlyMemory<byte>? message) => message is { } bytes
        ? RpcCall.Parse(static bytes => Subscribe.ResponseParser.ParseFrom(bytes.Span), bytes)
        : null;

    private static SubscribeStart ToStart(SubscribeOptions options, string? token)
    {
        var start = new SubscribeStart
        {
            Topics = { options.Topics },
            Keys = { options.Keys },
            Filter = options.Filter,
            Overflow = options.Overflow,
            CreditMessages = options.CreditMessages,
            Subscription = options.Name ?? "",
        };
        if ((token ?? options.ResumeToken) is { } place)
        {
            start.ResumeToken = place;
        }
        else if (options.Time is { } time)
        {
            start.Time = Timestamp.FromDateTimeOffset(time);
        }
        else if (options.Position != StartPosition.Unspecified)
        {
            start.Position = options.Position;
        }
        return start;
    }

    private async ValueTask GrantAndHandleAsync(string token)
    {
        var credit = new SubscribeCredit { Messages = _handled };
        _handled = 0;
        await _call.TrySendAsync(new SubscribeRequest { Credit = credit }).ConfigureAwait(false);
        await HandleAsync(token).ConfigureAwait(false);
    }

    private async ValueTask AckAsync()
    {
        if (_ack is { } token)
        {
            _ack = null;
            _ackedAt = _time.GetTimestamp();
            await _call.TrySendAsync(new SubscribeRequest { Ack = new SubscribeAck { ResumeToken = token } })
                .ConfigureAwait(false);
        }
    }

    private async Task ReadToEndAsync()
    {
        if (_reading is { } reading && await reading.ConfigureAwait(false) is null)
        {
            return;
        }
        while (await _call.ReadAsync().ConfigureAwait(false) is not null)
        {
        }
    }
}
