using System.Runtime.CompilerServices;
using Ingest.Client.Calls;
using Ingest.Protocol;
using Ingest.V1;

namespace Ingest.Client;

/// <summary>Reads a subscription over as many calls as it takes.</summary>
internal sealed class SubscriptionReader(RpcChannel channel, SubscribeOptions options)
{
    /// <summary>Doublings after which the wait is at its longest, whatever it began with.</summary>
    private const int MaxDoublings = 20;

    /// <summary>The items, one after the other.</summary>
    public async IAsyncEnumerable<Delivery> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // Behind the last item that was handled; null until the server has said where the subscription starts.
        string? token = null;
        var failures = 0;
        while (true)
        {
            RpcException? fault = null;
            var call = await SubscriptionCall.StartAsync(channel, options, token, cancellationToken).ConfigureAwait(false);
            try
            {
                while (true)
                {
                    SubscribeResponse? response;
                    try
                    {
                        response = await call.ReadAsync(cancellationToken).ConfigureAwait(false);
                    }
                    catch (RpcException exception) when (token is not null && CanReconnect(exception))
                    {
                        fault = exception;
                        break;
                    }
                    if (response is null)
                    {
                        yield break;
                    }
                    switch (response.ResponseCase)
                    {
                        case SubscribeResponse.ResponseOneofCase.Started:
                            failures = 0;
                            token = response.Started.ResumeToken;
                            options.Started?.Invoke(response.Started);
                            break;
                        case SubscribeResponse.ResponseOneofCase.Update:
                            yield return new Delivery(response.Update);
                            token = response.Update.ResumeToken;
                            await call.HandleUpdateAsync(token).ConfigureAwait(false);
                            break;
                        case SubscribeResponse.ResponseOneofCase.Gap:
                            yield return new Delivery(response.Gap);
                            token = response.Gap.ResumeToken;
                            await call.HandleAsync(token).ConfigureAwait(false);
                            break;
                        case SubscribeResponse.ResponseOneofCase.Heartbeat:
                            // Behind updates, too, that were not for this subscription.
                            token = response.Heartbeat.ResumeToken;
                            await call.HandleAsync(token).ConfigureAwait(false);
                            break;
                        default:
                            // Draining: the server ends the call when it does; until then there may be more.
                            break;
                    }
                }
            }
            finally
            {
                await call.EndAsync(inOrder: fault is null).ConfigureAwait(false);
            }
            options.Disconnected?.Invoke(fault);
            await Task.Delay(NextDelay(fault, failures++), channel.TimeProvider, cancellationToken).ConfigureAwait(false);
        }
    }

    // CANCELLED is the server's reset of a call that was not read in time: the caller's own token throws another
    // exception. Without a retry delay RESOURCE_EXHAUSTED is for good.
    private bool CanReconnect(RpcException exception) => options.Reconnect && exception.StatusCode switch
    {
        StatusCode.Unavailable or StatusCode.Cancelled => true,
        StatusCode.ResourceExhausted => exception.GetRetryDelay() is not null,
        _ => false,
    };

    private TimeSpan NextDelay(RpcException fault, int failures)
    {
        var delay = options.ReconnectDelay * Math.Pow(2, Math.Min(failures, MaxDoublings));
        delay = delay < options.MaxReconnectDelay ? delay : options.MaxReconnectDelay;

        // Not all subscribers of a server that restarts at the same moment.
        delay *= 0.5 + (Random.Shared.NextDouble() / 2);
        return fault.GetRetryDelay() is { } asked && asked > delay ? asked : delay;
    }
}
