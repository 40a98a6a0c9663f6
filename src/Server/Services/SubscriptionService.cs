using Google.Protobuf;
using Ingest.Server.Grpc;
using Ingest.Topics;
using Ingest.V1;

namespace Ingest.Server.Services;

/// <summary>ingest.v1.SubscriptionService: pushes the updates of topics.</summary>
internal sealed class SubscriptionService(TopicHub hub, SubscriptionSessions sessions)
{
    public void Bind(GrpcServiceBinder binder) => binder
        .DuplexStreaming<SubscribeRequest, SubscribeResponse>("Subscribe", SubscribeAsync);

    /// <summary>Reads a request; null when it is none.</summary>
    internal static SubscribeRequest? TryParse(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return SubscribeRequest.Parser.ParseFrom(bytes);
        }
        catch (InvalidProtocolBufferException)
        {
            return null;
        }
    }

    // What opens a subscription is a method of its own, so that nothing of it is held for the subscription's life.
    private async Task SubscribeAsync(RequestStream requests, ResponseStream responses, CallContext call)
    {
        SubscriptionSession session = await OpenAsync(requests, responses, call);
        await session.RunAsync();
    }

    private async Task<SubscriptionSession> OpenAsync(RequestStream requests, ResponseStream responses, CallContext call)
    {
        SubscribeStart start = await ReadStartAsync(requests);
        SubscriptionOptions options = SubscriptionStart.Read(start, call.Peer);
        SubscriptionSessions.Sender sender = sessions.Enter(SenderKey.Of(call));
        try
        {
            Subscription subscription = await hub.SubscribeAsync(options, call.CancellationToken);
            return new SubscriptionSession(
                subscription, start, sessions, sender, requests, responses, call);
        }
        catch (TopicException fault)
        {
            sender.Leave();
            throw SubscribeErrors.InvalidStart(fault);
        }
        catch (ObjectDisposedException)
        {
            sender.Leave();
            throw GrpcErrors.ShuttingDown();
        }
        catch
        {
            sender.Leave();
            throw;
        }
    }

    private static async Task<SubscribeStart> ReadStartAsync(RequestStream requests)
    {
        while (await requests.WaitToReadAsync())
        {
            if (requests.TryRead(out ReadOnlySpan<byte> bytes))
            {
                SubscribeRequest request = TryParse(bytes) ?? throw SubscribeErrors.Malformed(0);
                return request.Start ?? throw SubscribeErrors.NotStarted();
            }
        }

        throw SubscribeErrors.NotStarted();
    }
}
