using Google.Protobuf;
using Grpc.Testing;
using Ingest.Server.Grpc;

namespace Ingest.Server.Tests.Grpc;

public class GrpcServiceBinderTests
{
    private readonly GrpcServiceBinder _binder = new(TestReflection.Descriptor.Services[0], _ => { }, false);

    [Fact]
    public void A_name_that_the_service_does_not_have_is_refused_with_those_it_has()
    {
        var text = Fault(() => _binder.Unary<Empty, Empty>("EmtpyCall", Nothing<Empty, Empty>));

        Assert.Contains("grpc.testing.TestService has no method EmtpyCall", text, StringComparison.Ordinal);
        Assert.Contains("EmptyCall, UnaryCall", text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_kind_that_is_not_the_descriptors_is_refused()
    {
        var text = Fault(() => _binder.Unary<StreamingInputCallRequest, StreamingInputCallResponse>(
            "StreamingInputCall", Nothing<StreamingInputCallRequest, StreamingInputCallResponse>));

        Assert.Contains("bound as unary; its descriptor says client streaming", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Message_types_that_are_not_the_descriptors_are_refused()
    {
        var text = Fault(() => _binder.Unary<Empty, SimpleResponse>("EmptyCall", Nothing<Empty, SimpleResponse>));

        Assert.Contains("Grpc.Testing.SimpleResponse; its descriptor says Grpc.Testing.Empty", text,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_method_is_bound_once()
    {
        _binder.Unary<Empty, Empty>("EmptyCall", Nothing<Empty, Empty>);

        var text = Fault(() => _binder.Unary<Empty, Empty>("EmptyCall", Nothing<Empty, Empty>));

        Assert.Contains("bound twice", text, StringComparison.Ordinal);
    }

    private static string Fault(Action bind) => Assert.Throws<InvalidOperationException>(bind).Message;

    private static Task<TResponse> Nothing<TRequest, TResponse>(TRequest request, CallContext call)
        where TResponse : IMessage, new() => Task.FromResult(new TResponse());
}
