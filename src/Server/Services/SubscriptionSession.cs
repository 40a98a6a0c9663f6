using Ingest.Protocol;
using Ingest.Server.Grpc;
using Ingest.Topics;
using Ingest.V1;

namespace Ingest.Server.Services;

/// <summary>A subscription over gRPC: one loop writes what its cursor gives, another reads credit and acks.</summary>
/// <remarks>
/// A session owns no queue: what it has not read stays in the topic, once for all. It writes at most
/// <see cref="SubscriptionSessions.TurnBytes"/> before it flushes, and one flush is under way at a time, so a subscriber
/// that reads slowly gets more at once and less often, and one that does not read holds that much and nothing else.
/// Flushes hold no thread. The two loops meet in the credit and in <see cref="Wake"/>.
/// </remarks>
internal sealed partial class SubscriptionSession
{
    // More would not be told from it.
    private const long MaxCredit = long.MaxValue / 2;

    private readonly Subscription _subscription;
    private readonly SubscriptionSessions _sessions;
    private readonly SubscriptionSessions.Sender _sender;
    private readonly RequestStream _requests;
    private readonly ResponseStream _responses;
    private readonly CallContext _call;

    /// <summary>Set when credit has come, or anything else that a writer without credit waits for; null: no need of credit.</summary>
    private readonly AsyncSignal? _credited;

    private readonly bool _isNamed;
    private long _credit;
    private volatile bool _requestsEnded;
    private volatile RpcException? _fault;

    public SubscriptionSession(
        Subscription subscription, SubscribeStart start, SubscriptionSessions sessions,
        SubscriptionSessions.Sender sender, RequestStream requests, ResponseStream responses, CallContext call)
    {
        _subscription = subscription;
        _sessions = sessions;
        _sender = sender;
        _requests = requests;
        _responses = responses;
        _call = call;
        _isNamed = start.Subscription.Length > 0;
        _credit = start.CreditMessages;
        _credited = _credit > 0 ? new AsyncSignal() : null;
    }

    /// <summary>Where <see cref="SubscriptionSessions"/> has it.</summary>
    public int Place { get; set; }

    /// <summary>
    /// Runs until the subscriber has said that it is done, or throws what ends the call.
    /// </summary>
    public async Task RunAsync()
    {
        _lastWritten = _sessions.Time.GetTimestamp();
        _sessions.Add(this);
        Task reading = ReadAsync();
        try
        {
            await WriteAsync();
        }
        catch (OperationCanceledException) when (_unread)
        {
            throw SubscribeErrors.Unread(_sessions.Options.StallTimeout);
        }
        finally
        {
            _sessions.Remove(this);
            if (!reading.IsCompleted)
            {
                _requests.Interrupt();
            }

            await reading;
            _subscription.Dispose();
            _sender.Leave();
        }
    }

    /// <summary>Has the writing loop look again; from any thread.</summary>
    public void Wake()
    {
        _subscription.Interrupt();
        _credited?.Set();
    }

    // Never fails: what is wrong with a request ends the writing loop.
    private async Task ReadAsync()
    {
        long request = 0;
        try
        {
            while (await _requests.WaitToReadAsync())
            {
                while (_requests.TryRead(out ReadOnlySpan<byte> bytes))
                {
                    request++;
                    Take(SubscriptionService.TryParse(bytes) ?? throw SubscribeErrors.Malformed(request), request);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The subscriber has left, or the other loop has ended.
        }
        catch (RpcException fault)
        {
            _fault = fault;
        }

        _requestsEnded = true;
        Wake();
    }

    private void Take(SubscribeRequest request, long number)
    {
        switch (request.RequestCase)
        {
            case SubscribeRequest.RequestOneofCase.Credit:
                AddCredit(request.Credit.Messages, number);
                break;
            case SubscribeRequest.RequestOneofCase.Ack:
                Acknowledge(request.Ack.ResumeToken, number);
                break;
            case SubscribeRequest.RequestOneofCase.Start:
                throw SubscribeErrors.StartedTwice(number);
            default:
                throw SubscribeErrors.Empty(number);
        }
    }

    private void AddCredit(long messages, long request)
    {
        if (_credited is null)
        {
            throw SubscribeErrors.CreditWithoutNeed(request);
        }

        if (messages <= 0)
        {
            throw SubscribeErrors.InvalidCredit(request, messages);
        }

        // Only this loop adds: what was read is more than what is there by what was sent since.
        long before = Volatile.Read(ref _credit);
        Interlocked.Add(ref _credit, Math.Min(messages, MaxCredit - Math.Min(before, MaxCredit)));
        _credited.Set();
    }

    private void Acknowledge(string token, long request)
    {
        try
        {
            _subscription.Ack(token);
        }
        catch (TopicException fault)
        {
            throw SubscribeErrors.InvalidAck(request, fault);
        }
    }
}
