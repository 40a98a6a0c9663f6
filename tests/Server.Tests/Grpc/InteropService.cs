using Google.Protobuf;
using Grpc.Testing;
using Ingest.Protocol;
using Ingest.Server.Grpc;

namespace Ingest.Server.Tests.Grpc;

/// <summary>
/// <c>grpc.testing.TestService</c> as gRPC's interop-test-descriptions.md asks of servers.
/// </summary>
internal static class InteropService
{
    private const string EchoHeader = "x-grpc-test-echo-initial";
    private const string EchoTrailer = "x-grpc-test-echo-trailing-bin";

    public static void Bind(GrpcServiceBinder service) => service
        .Unary<Empty, Empty>("EmptyCall", (_, _) => Task.FromResult(new Empty()))
        .Unary<SimpleRequest, SimpleResponse>("UnaryCall", UnaryAsync)
        .ServerStreaming<StreamingOutputCallRequest, StreamingOutputCallResponse>("StreamingOutputCall", OutputAsync)
        .ClientStreaming<StreamingInputCallRequest, StreamingInputCallResponse>("StreamingInputCall", InputAsync)
        .DuplexStreaming<StreamingOutputCallRequest, StreamingOutputCallResponse>("FullDuplexCall", FullDuplexAsync)
        .DuplexStreaming<StreamingOutputCallRequest, StreamingOutputCallResponse>("HalfDuplexCall", HalfDuplexAsync);

    private static Task<SimpleResponse> UnaryAsync(SimpleRequest request, CallContext call)
    {
        Echo(call);
        ThrowIfAsked(request.ResponseStatus);
        CheckCompressed(request.ExpectCompressed, call);
        call.CompressResponses = request.ResponseCompressed?.Value ?? false;
        return Task.FromResult(new SimpleResponse { Payload = Zeros(request.ResponseSize) });
    }

    private static async Task OutputAsync(StreamingOutputCallRequest request,
        ResponseStream<StreamingOutputCallResponse> responses, CallContext call)
    {
        Echo(call);
        call.CompressResponses = request.ResponseParameters.Any(parameters => parameters.Compressed?.Value ?? false);
        await call.WriteHeadersAsync();
        await AnswerAsync(request, responses, call);
    }

    private static async Task<StreamingInputCallResponse> InputAsync(
        RequestStream<StreamingInputCallRequest> requests, CallContext call)
    {
        Echo(call);
        var size = 0;
        await foreach (var request in requests.ReadAllAsync())
        {
            CheckCompressed(request.ExpectCompressed, call);
            size += request.Payload.Body.Length;
        }

        return new StreamingInputCallResponse { AggregatedPayloadSize = size };
    }

    private static async Task FullDuplexAsync(RequestStream<StreamingOutputCallRequest> requests,
        ResponseStream<StreamingOutputCallResponse> responses, CallContext call)
    {
        Echo(call);
        await foreach (var request in requests.ReadAllAsync())
        {
            ThrowIfAsked(request.ResponseStatus);
            await AnswerAsync(request, responses, call);
        }
    }

    private static async Task HalfDuplexAsync(RequestStream<StreamingOutputCallRequest> requests,
        ResponseStream<StreamingOutputCallResponse> responses, CallContext call)
    {
        List<StreamingOutputCallRequest> all = [];
        await foreach (var request in requests.ReadAllAsync())
        {
            all.Add(request);
        }

        foreach (var request in all)
        {
            await AnswerAsync(request, responses, call);
        }
    }

    private static async Task AnswerAsync(StreamingOutputCallRequest request,
        ResponseStream<StreamingOutputCallResponse> responses, CallContext call)
    {
        foreach (var parameters in request.ResponseParameters)
        {
            if (parameters.IntervalUs > 0)
            {
                await Task.Delay(TimeSpan.FromMicroseconds(parameters.IntervalUs), call.CancellationToken);
            }

            call.CompressResponses = parameters.Compressed?.Value ?? false;
            await responses.WriteAsync(new StreamingOutputCallResponse { Payload = Zeros(parameters.Size) });
        }
    }

    private static void Echo(CallContext call)
    {
        if (call.RequestHeaders.GetValue(EchoHeader) is { } header)
        {
            call.ResponseHeaders.Add(EchoHeader, header);
        }

        if (call.RequestHeaders.GetBytes(EchoTrailer) is { } trailer)
        {
            call.ResponseTrailers.Add(EchoTrailer, trailer);
        }
    }

    private static void ThrowIfAsked(EchoStatus? status)
    {
        if (status is not null && status.Code != 0)
        {
            throw new RpcException((StatusCode)status.Code, status.Message);
        }
    }

    private static void CheckCompressed(BoolValue? expected, CallContext call)
    {
        if (expected is not null && expected.Value != call.RequestWasCompressed)
        {
            throw new RpcException(StatusCode.InvalidArgument,
                $"The request was {(call.RequestWasCompressed ? "" : "not ")}compressed.");
        }
    }

    private static Payload Zeros(int count) => new() { Body = UnsafeByteOperations.UnsafeWrap(new byte[count]) };
}
