using Google.Protobuf;
using Google.Protobuf.Reflection;
using ServiceDescriptor = Google.Protobuf.Reflection.ServiceDescriptor;

namespace Ingest.Server.Grpc;

/// <summary>Binds the methods of a service, one line each. A method that is not bound answers UNIMPLEMENTED.</summary>
/// <remarks>
/// Every method throws <see cref="InvalidOperationException"/> when name, kind or message types are not those of the
/// descriptor, so a mistake shows at start.
/// </remarks>
public sealed class GrpcServiceBinder
{
    private readonly ServiceDescriptor _service;
    private readonly Action<GrpcMethod> _map;
    private readonly bool _servedWhileDraining;
    private readonly HashSet<string> _bound = [];

    internal GrpcServiceBinder(ServiceDescriptor service, Action<GrpcMethod> map, bool servedWhileDraining)
    {
        _service = service;
        _map = map;
        _servedWhileDraining = servedWhileDraining;
    }

    /// <summary>One request, one response.</summary>
    public GrpcServiceBinder Unary<TRequest, TResponse>(
        string method, Func<TRequest, CallContext, Task<TResponse>> handler)
        where TRequest : class, IMessage<TRequest>
        where TResponse : class, IMessage<TResponse>
    {
        var parser = Check<TRequest, TResponse>(method, clientStreams: false, serverStreams: false);
        return Bind(method, async call =>
        {
            var request = await new RequestStream<TRequest>(call.Requests, parser).ReadSingleAsync();
            call.Responses.Write(await handler(request, call));
        });
    }

    /// <summary>Many requests, read as bytes; one response.</summary>
    public GrpcServiceBinder ClientStreaming<TRequest, TResponse>(
        string method, Func<RequestStream, CallContext, Task<TResponse>> handler)
        where TRequest : class, IMessage<TRequest>
        where TResponse : class, IMessage<TResponse>
    {
        Check<TRequest, TResponse>(method, clientStreams: true, serverStreams: false);
        return Bind(method, async call => call.Responses.Write(await handler(call.Requests, call)));
    }

    /// <summary>Many requests; one response.</summary>
    public GrpcServiceBinder ClientStreaming<TRequest, TResponse>(
        string method, Func<RequestStream<TRequest>, CallContext, Task<TResponse>> handler)
        where TRequest : class, IMessage<TRequest>
        where TResponse : class, IMessage<TResponse>
    {
        var parser = Check<TRequest, TResponse>(method, clientStreams: true, serverStreams: false);
        return Bind(method, async call => call.Responses.Write(
            await handler(new RequestStream<TRequest>(call.Requests, parser), call)));
    }

    /// <summary>One request; many responses.</summary>
    public GrpcServiceBinder ServerStreaming<TRequest, TResponse>(
        string method, Func<TRequest, ResponseStream<TResponse>, CallContext, Task> handler)
        where TRequest : class, IMessage<TRequest>
        where TResponse : class, IMessage<TResponse>
    {
        var parser = Check<TRequest, TResponse>(method, clientStreams: false, serverStreams: true);
        return Bind(method, async call =>
        {
            var request = await new RequestStream<TRequest>(call.Requests, parser).ReadSingleAsync();
            await handler(request, new ResponseStream<TResponse>(call.Responses), call);
        });
    }

    /// <summary>Many requests and many responses, as bytes.</summary>
    public GrpcServiceBinder DuplexStreaming<TRequest, TResponse>(
        string method, Func<RequestStream, ResponseStream, CallContext, Task> handler)
        where TRequest : class, IMessage<TRequest>
        where TResponse : class, IMessage<TResponse>
    {
        Check<TRequest, TResponse>(method, clientStreams: true, serverStreams: true);
        return Bind(method, call => handler(call.Requests, call.Responses, call));
    }

    /// <summary>Many requests and many responses.</summary>
    public GrpcServiceBinder DuplexStreaming<TRequest, TResponse>(
        string method, Func<RequestStream<TRequest>, ResponseStream<TResponse>, CallContext, Task> handler)
        where TRequest : class, IMessage<TRequest>
        where TResponse : class, IMessage<TResponse>
    {
        var parser = Check<TRequest, TResponse>(method, clientStreams: true, serverStreams: true);
        return Bind(method, call => handler(new RequestStream<TRequest>(call.Requests, parser),
            new ResponseStream<TResponse>(call.Responses), call));
    }

    private GrpcServiceBinder Bind(string method, Func<CallContext, Task> invoke)
    {
        _map(new GrpcMethod($"/{_service.FullName}/{method}", invoke, _servedWhileDraining));
        return this;
    }

    private MessageParser<TRequest> Check<TRequest, TResponse>(string name, bool clientStreams, bool serverStreams)
        where TRequest : class, IMessage<TRequest>
    {
        if (_service.FindMethodByName(name) is not { } method)
        {
            var names = string.Join(", ", _service.Methods.Select(m => m.Name));
            throw new InvalidOperationException($"{_service.FullName} has no method {name}; it has {names}.");
        }

        if (method.IsClientStreaming != clientStreams || method.IsServerStreaming != serverStreams)
        {
            throw new InvalidOperationException($"{method.FullName} is bound as "
                + $"{Kind(clientStreams, serverStreams)}; its descriptor says "
                + $"{Kind(method.IsClientStreaming, method.IsServerStreaming)}.");
        }

        if (method.InputType.ClrType != typeof(TRequest) || method.OutputType.ClrType != typeof(TResponse))
        {
            throw new InvalidOperationException($"{method.FullName} is bound to take {typeof(TRequest)} and return "
                + $"{typeof(TResponse)}; its descriptor says {method.InputType.ClrType} and "
                + $"{method.OutputType.ClrType}.");
        }

        return _bound.Add(name)
            ? (MessageParser<TRequest>)(object)method.InputType.Parser
            : throw new InvalidOperationException($"{method.FullName} is bound twice.");
    }

    private static string Kind(bool clientStreams, bool serverStreams) => (clientStreams, serverStreams) switch
    {
        (false, false) => "unary",
        (true, false) => "client streaming",
        (false, true) => "server streaming",
        _ => "duplex streaming",
    };
}
