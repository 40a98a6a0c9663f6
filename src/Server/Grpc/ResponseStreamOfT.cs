using Google.Protobuf;

namespace Ingest.Server.Grpc;

/// <summary>The responses of a call as messages.</summary>
/// <typeparam name="T">The response type of the method.</typeparam>
public sealed class ResponseStream<T>
    where T : class, IMessage<T>
{
    internal ResponseStream(ResponseStream raw) => Raw = raw;

    /// <summary>The same responses as bytes.</summary>
    public ResponseStream Raw { get; }

    /// <summary>Writes a response without sending it.</summary>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    public void Write(T message) => Raw.Write(message);

    /// <summary>Sends what was written and waits while the client does not read.</summary>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    public ValueTask FlushAsync() => Raw.FlushAsync();

    /// <summary>Writes a response and sends it.</summary>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    public ValueTask WriteAsync(T message) => Raw.WriteAsync(message);
}
