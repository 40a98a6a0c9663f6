using Google.Protobuf;

namespace Ingest.Server.Grpc;

/// <summary>The requests of a call as messages.</summary>
/// <typeparam name="T">The request type of the method.</typeparam>
/// <remarks>For calls that are not hot; those read the <see cref="Raw"/> bytes.</remarks>
public sealed class RequestStream<T>
    where T : class, IMessage<T>
{
    private readonly MessageParser<T> _parser;

    internal RequestStream(RequestStream raw, MessageParser<T> parser)
    {
        Raw = raw;
        _parser = parser;
    }

    /// <summary>The same requests as bytes.</summary>
    public RequestStream Raw { get; }

    /// <summary>Waits for the next request.</summary>
    /// <returns>The request, or null when the client has half-closed the call.</returns>
    /// <exception cref="Protocol.RpcException">INVALID_ARGUMENT when the bytes are not a message of the type, and as
    /// <see cref="RequestStream.WaitToReadAsync"/>.</exception>
    public async ValueTask<T?> ReadAsync()
    {
        while (await Raw.WaitToReadAsync())
        {
            if (Raw.TryRead(out var bytes))
            {
                return Parse(bytes);
            }
        }

        return null;
    }

    /// <summary>All requests until the client half-closes the call.</summary>
    public async IAsyncEnumerable<T> ReadAllAsync()
    {
        while (await ReadAsync() is { } message)
        {
            yield return message;
        }
    }

    /// <summary>The one request of a method that takes no stream.</summary>
    internal async ValueTask<T> ReadSingleAsync()
    {
        var message = await ReadAsync() ?? throw GrpcErrors.RequestCount(none: true);
        return await Raw.WaitToReadAsync() ? throw GrpcErrors.RequestCount(none: false) : message;
    }

    private T Parse(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return _parser.ParseFrom(bytes);
        }
        catch (InvalidProtocolBufferException error)
        {
            throw GrpcErrors.Undecodable(error);
        }
    }
}
