using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Testing;
using Ingest.Protocol;
using Ingest.Server.Grpc;
using Ingest.Testing.V1;
using Empty = Grpc.Testing.Empty;

namespace Ingest.Server.Tests.Grpc;

/// <summary>Misbehaves on demand and says what it saw.</summary>
internal sealed class ProbeService
{
    public const string Secret = "the password is 1234";

    private readonly TaskCompletionSource _released = new();
    private long _flooded;
    private long _counted;
    private int _running;
    private int _cancelled;

    /// <summary>Lets the threads that Block holds go.</summary>
    public void Release() => _released.TrySetResult();

    /// <summary>Payloads that Flood has handed to the transport.</summary>
    public long Flooded => Interlocked.Read(ref _flooded);

    /// <summary>Requests that Count has read.</summary>
    public long Counted => Interlocked.Read(ref _counted);

    /// <summary>Calls of Hang, Count and Flood that run.</summary>
    public int Running => Volatile.Read(ref _running);

    /// <summary>Calls of Hang, Count and Flood that ended by cancellation.</summary>
    public int Cancelled => Volatile.Read(ref _cancelled);

    public void Bind(GrpcServiceBinder service) => service
        .Unary<FailRequest, Empty>("Fail", FailAsync)
        .Unary<Empty, Empty>("Hang", HangAsync)
        .Unary<Empty, Empty>("Block", BlockAsync)
        .ClientStreaming<Payload, CountResponse>("Count", CountAsync)
        .ClientStreaming<Payload, Empty>("Refuse", RefuseAsync)
        .ServerStreaming<Empty, Payload>("Flood", FloodAsync)
        .DuplexStreaming<Payload, Payload>("Echo", EchoAsync);

    private static async Task<Empty> FailAsync(FailRequest request, CallContext call)
    {
        switch (request.Kind)
        {
            case FailRequest.Types.Kind.Exception:
                throw new InvalidOperationException(Secret);
            case FailRequest.Types.Kind.Details:
                var error = RpcException.WithDetails(StatusCode.ResourceExhausted, "Zu viel für heute ☹",
                    new RetryInfo { RetryDelay = Duration.FromTimeSpan(TimeSpan.FromSeconds(3)) },
                    new BadRequest { FieldViolations = { new BadRequest.Types.FieldViolation { Field = "kind" } } });
                error.Trailers.Add(GrpcHeaders.RetryPushback, "3000");
                error.Trailers.Add("probe-bin", [0, 1, 255]);
                throw error;
            case FailRequest.Types.Kind.AfterHeaders:
                call.ResponseHeaders.Add("probe", "sent");
                await call.WriteHeadersAsync();
                throw new RpcException(StatusCode.NotFound, "gone");
            case FailRequest.Types.Kind.OwnCancellation:
                throw new OperationCanceledException();
            default:
                return new Empty();
        }
    }

    private Task<Empty> HangAsync(Empty request, CallContext call) => TrackAsync(async () =>
    {
        await Task.Delay(Timeout.Infinite, call.CancellationToken);
        return new Empty();
    });

    private Task<Empty> BlockAsync(Empty request, CallContext call) => TrackAsync(() =>
    {
        Assert.True(_released.Task.Wait(Wait.Limit));
        return Task.FromResult(new Empty());
    });

    private Task<CountResponse> CountAsync(RequestStream requests, CallContext call) => TrackAsync(async () =>
    {
        var count = 0L;
        while (await requests.WaitToReadAsync())
        {
            while (requests.TryRead(out _))
            {
                count++;
                Interlocked.Increment(ref _counted);
            }
        }

        return new CountResponse { Count = count };
    });

    private static async Task<Empty> RefuseAsync(RequestStream requests, CallContext call)
    {
        await requests.WaitToReadAsync();
        throw new RpcException(StatusCode.FailedPrecondition, "not today");
    }

    private Task FloodAsync(Empty request, ResponseStream<Payload> responses, CallContext call) =>
        TrackAsync<object?>(async () =>
        {
            var payload = new Payload { Body = ByteString.CopyFrom(new byte[16 * 1024]) };
            while (true)
            {
                await responses.WriteAsync(payload);
                Interlocked.Increment(ref _flooded);
            }
        });

    private static async Task EchoAsync(RequestStream requests, ResponseStream responses, CallContext call)
    {
        call.CompressResponses = true;
        while (await requests.WaitToReadAsync())
        {
            while (requests.TryRead(out var message))
            {
                responses.Write(message[..(message.Length / 2)], message[(message.Length / 2)..]);
            }

            await responses.FlushAsync();
        }
    }

    private async Task<T> TrackAsync<T>(Func<Task<T>> body)
    {
        Interlocked.Increment(ref _running);
        try
        {
            return await body();
        }
        catch (OperationCanceledException)
        {
            Interlocked.Increment(ref _cancelled);
            throw;
        }
        finally
        {
            Interlocked.Decrement(ref _running);
        }
    }
}
