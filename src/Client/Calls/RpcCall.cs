using System.Net;
using Google.Protobuf;
using Ingest.Protocol;

namespace Ingest.Client.Calls;

/// <summary>
/// One call of any of the four kinds. Frames go out as they are given; responses come in one by one. One thread may
/// write while another one reads.
/// </summary>
internal sealed class RpcCall : IAsyncDisposable
{
    private readonly RequestBody _body;
    private readonly HttpRequestMessage _request;
    private readonly IngestClientOptions _options;
    private readonly CancellationToken _callerToken;
    private readonly CancellationTokenSource? _deadline;
    private readonly CancellationTokenSource _ended;
    private readonly Task<HttpResponseMessage> _response;
    private FrameReader? _reader;

    public RpcCall(
        HttpMessageInvoker http, HttpRequestMessage request, RequestBody body, IngestClientOptions options,
        TimeSpan? timeout, CancellationToken cancellationToken)
    {
        _body = body;
        _request = request;
        _options = options;
        _callerToken = cancellationToken;
        _deadline = timeout is null ? null : new CancellationTokenSource(timeout.Value, options.TimeProvider);
        _ended = CancellationTokenSource.CreateLinkedTokenSource(
            cancellationToken, _deadline?.Token ?? CancellationToken.None);
        _response = SendAsync(http);
    }

    /// <summary>Sends whole frames. False when the call has ended: reading tells why.</summary>
    public async ValueTask<bool> TryWriteAsync(ReadOnlyMemory<byte> frames)
    {
        var stream = await _body.StreamAsync.ConfigureAwait(false);
        if (stream is null)
        {
            return false;
        }
        try
        {
            await stream.WriteAsync(frames, _ended.Token).ConfigureAwait(false);
            return true;
        }
        catch (Exception exception) when (IsEnd(exception))
        {
            return false;
        }
    }

    /// <summary>Sends one message in a frame of its own, at once. False when the call has ended.</summary>
    public async ValueTask<bool> TrySendAsync(IMessage message)
    {
        var size = message.CalculateSize();
        var frame = new byte[MessageFrame.HeaderBytes + size];
        MessageFrame.WriteHeader(frame, flags: 0, size);
        message.WriteTo(frame.AsSpan(MessageFrame.HeaderBytes));
        return await TryWriteAsync(frame).ConfigureAwait(false) && await TryFlushAsync().ConfigureAwait(false);
    }

    /// <summary>Hands what was written to the socket. False when the call has ended.</summary>
    public async ValueTask<bool> TryFlushAsync()
    {
        var stream = await _body.StreamAsync.ConfigureAwait(false);
        if (stream is null)
        {
            return false;
        }
        try
        {
            await stream.FlushAsync(_ended.Token).ConfigureAwait(false);
            return true;
        }
        catch (Exception exception) when (IsEnd(exception))
        {
            return false;
        }
    }

    /// <summary>Ends the request; responses may still come.</summary>
    public void CompleteRequest() => _body.Complete();

    /// <summary>Reads the next response; null when the call has ended with OK. It is valid until the next read.</summary>
    /// <exception cref="RpcException">The call ended with a status that is not OK.</exception>
    /// <exception cref="OperationCanceledException">The caller's token was cancelled.</exception>
    public async ValueTask<ReadOnlyMemory<byte>?> ReadAsync()
    {
        try
        {
            var response = await _response.ConfigureAwait(false);
            _reader ??= await OpenReaderAsync(response).ConfigureAwait(false);
            var message = await _reader.ReadAsync(_ended.Token).ConfigureAwait(false);
            if (message is null)
            {
                ResponseStatus.ThrowUnlessOk(response.Headers, response.TrailingHeaders);
            }
            return message;
        }
        catch (Exception exception) when (exception is not RpcException)
        {
            _callerToken.ThrowIfCancellationRequested();
            throw TransportFault.ToRpcException(
                exception, _options.Address, _deadline?.IsCancellationRequested ?? false, _ended.IsCancellationRequested);
        }
    }

    /// <summary>Reads the only response of a call that has one, and the status behind it.</summary>
    /// <exception cref="RpcException">The status is not OK, or there is not one response.</exception>
    public async ValueTask<ReadOnlyMemory<byte>> ReadSingleAsync()
    {
        var first = await ReadAsync().ConfigureAwait(false)
            ?? throw new RpcException(StatusCode.Internal, "The server ended the call with OK and without a response.");
        var copy = first.ToArray();
        return await ReadAsync().ConfigureAwait(false) is null
            ? copy
            : throw new RpcException(StatusCode.Internal, "The server sent more than one response.");
    }

    /// <summary>Decodes a response.</summary>
    /// <exception cref="RpcException">INTERNAL: it is no message of that type.</exception>
    public static TResponse Parse<TResponse>(
        Func<ReadOnlyMemory<byte>, TResponse> parse, ReadOnlyMemory<byte> message)
    {
        try
        {
            return parse(message);
        }
        catch (InvalidProtocolBufferException exception)
        {
            throw new RpcException(StatusCode.Internal, "The server's response cannot be decoded.", exception);
        }
    }

    /// <summary>Has a read that waits end; the call takes and gives nothing more.</summary>
    public Task CancelAsync() => _ended.CancelAsync();

    /// <summary>Ends the call if it has not ended; the server sees it cancelled.</summary>
    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync().ConfigureAwait(false);
        _body.End();
        try
        {
            var response = await _response.ConfigureAwait(false);
            response.Dispose();
        }
        catch (Exception exception) when (IsEnd(exception))
        {
            // Whoever reads has been told; nobody reads any more.
        }
        _reader?.Dispose();
        _request.Dispose();
        _ended.Dispose();
        _deadline?.Dispose();
    }

    private static bool IsEnd(Exception exception) =>
        exception is HttpRequestException or IOException or OperationCanceledException or ObjectDisposedException;

    private async Task<HttpResponseMessage> SendAsync(HttpMessageInvoker http)
    {
        try
        {
            return await http.SendAsync(_request, _ended.Token).ConfigureAwait(false);
        }
        catch
        {
            _body.End();
            throw;
        }
    }

    private async ValueTask<FrameReader> OpenReaderAsync(HttpResponseMessage response)
    {
        var contentType = response.Content.Headers.ContentType?.MediaType;
        if (response.StatusCode != HttpStatusCode.OK)
        {
            // A gRPC status, where there is one, says more than the HTTP status.
            ResponseStatus.ThrowUnlessOk(response.Headers, response.TrailingHeaders, response.StatusCode);
        }
        if (contentType is null || !contentType.StartsWith(GrpcHeaders.ContentType, StringComparison.OrdinalIgnoreCase))
        {
            throw new RpcException(StatusCode.Unknown,
                $"{_options.Address} answered with content type '{contentType}': it is no gRPC server.");
        }
        var encoding = response.Headers.TryGetValues(GrpcHeaders.Encoding, out var values)
            ? string.Concat(values)
            : MessageCompression.Identity;
        var stream = await response.Content.ReadAsStreamAsync(_ended.Token).ConfigureAwait(false);
        return new FrameReader(stream, encoding, _options.MaxResponseMessageBytes);
    }
}
