using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Ingest.Client.Calls;

/// <summary>A method and how its messages are read.</summary>
/// <param name="Path">The method's path, <c>/service/method</c>.</param>
/// <param name="ResponseParser">Reads a response.</param>
internal sealed record RpcMethod<TRequest, TResponse>(string Path, MessageParser<TResponse> ResponseParser)
    where TRequest : IMessage<TRequest>
    where TResponse : IMessage<TResponse>;

/// <summary>Makes methods from descriptors.</summary>
internal static class RpcMethod
{
    public static RpcMethod<TRequest, TResponse> Of<TRequest, TResponse>(
        FileDescriptor file, string service, string method)
        where TRequest : IMessage<TRequest>
        where TResponse : IMessage<TResponse>, new()
    {
        var descriptor = file.FindTypeByName<ServiceDescriptor>(service);
        return new RpcMethod<TRequest, TResponse>(
            $"/{descriptor.FullName}/{descriptor.FindMethodByName(method).Name}",
            new MessageParser<TResponse>(static () => new TResponse()));
    }
}
