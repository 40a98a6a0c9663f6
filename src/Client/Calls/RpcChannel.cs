using System.Net;
using Google.Protobuf;
using Ingest.Protocol;

namespace Ingest.Client.Calls;

/// <summary>
/// Makes gRPC calls over HTTP/2, in clear with prior knowledge or with TLS. Safe for use by several threads at once.
/// </summary>
internal sealed class RpcChannel : IDisposable
{
    private static readonly string UserAgent =
        $"ingest-dotnet/{typeof(RpcChannel).Assembly.GetName().Version?.ToString(3)}";

    private readonly HttpMessageInvoker _http;
    private readonly IngestClientOptions _options;
    private readonly string? _authorization;

    public RpcChannel(IngestClientOptions options)
    {
        Validate(options);
        _options = options;
        _authorization = options.ApiKey is null ? null : $"Bearer {options.ApiKey}";
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None,
            // HTTP/2 in clear does not pass proxies.
            UseProxy = options.Address.Scheme == Uri.UriSchemeHttps,
            ConnectTimeout = options.ConnectTimeout,
            EnableMultipleHttp2Connections = true,
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
            KeepAlivePingDelay = options.KeepAliveInterval,
            KeepAlivePingTimeout = options.KeepAliveInterval,
        };
        if (options.Tls is not null)
        {
            handler.SslOptions = options.Tls;
        }
        _http = new HttpMessageInvoker(handler, disposeHandler: true);
    }

    /// <summary>The clock of calls and streams.</summary>
    public TimeProvider TimeProvider => _options.TimeProvider;

    /// <summary>Starts a call of any kind; nothing is waited for.</summary>
    /// <param name="path">The method's path.</param>
    /// <param name="timeout">The deadline from now; null for none.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    public RpcCall Start(string path, TimeSpan? timeout, CancellationToken cancellationToken)
    {
        var body = new RequestBody();
        var request = new HttpRequestMessage(HttpMethod.Post, new Uri(_options.Address, path))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = body,
        };
        request.Headers.TryAddWithoutValidation("te", "trailers");
        request.Headers.TryAddWithoutValidation("user-agent", UserAgent);
        request.Headers.TryAddWithoutValidation(GrpcHeaders.AcceptEncoding, MessageCompression.Accepted);
        if (_authorization is not null)
        {
            request.Headers.TryAddWithoutValidation("authorization", _authorization);
        }
        if (timeout is not null)
        {
            request.Headers.TryAddWithoutValidation(GrpcHeaders.Timeout, GrpcTimeout.Format(timeout.Value));
        }
        return new RpcCall(_http, request, body, _options, timeout, cancellationToken);
    }

    /// <summary>Makes a unary call.</summary>
    /// <exception cref="RpcException">The call ended with a status that is not OK.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async Task<TResponse> CallAsync<TRequest, TResponse>(
        RpcMethod<TRequest, TResponse> method, TRequest request, TimeSpan? timeout,
        CancellationToken cancellationToken)
        where TRequest : IMessage<TRequest>
        where TResponse : IMessage<TResponse>
    {
        var call = Start(method.Path, timeout, cancellationToken);
        await using (call.ConfigureAwait(false))
        {
            var size = request.CalculateSize();
            var frame = new byte[MessageFrame.HeaderBytes + size];
            MessageFrame.WriteHeader(frame, flags: 0, size);
            request.WriteTo(frame.AsSpan(MessageFrame.HeaderBytes));
            await call.TryWriteAsync(frame).ConfigureAwait(false);
            call.CompleteRequest();
            var response = await call.ReadSingleAsync().ConfigureAwait(false);
            return RpcCall.Parse(message => method.ResponseParser.ParseFrom(message.Span), response);
        }
    }

    public void Dispose() => _http.Dispose();

    private static void Validate(IngestClientOptions options)
    {
        var address = options.Address
            ?? throw new ArgumentException("IngestClientOptions.Address is null.", nameof(options));
        if (!address.IsAbsoluteUri || (address.Scheme != Uri.UriSchemeHttp && address.Scheme != Uri.UriSchemeHttps))
        {
            throw new ArgumentException(
                $"IngestClientOptions.Address is {address}; it has to begin with http:// or https://.",
                nameof(options));
        }
        if (options.ApiKey is not null && options.ApiKey.AsSpan().ContainsAnyExceptInRange('!', '~'))
        {
            throw new ArgumentException(
                "IngestClientOptions.ApiKey has characters that a header cannot carry.", nameof(options));
        }
        if (options.ConnectTimeout <= TimeSpan.Zero)
        {
            throw new ArgumentException("IngestClientOptions.ConnectTimeout has to be positive.", nameof(options));
        }
        if (options.KeepAliveInterval < TimeSpan.FromSeconds(1))
        {
            throw new ArgumentException(
                "IngestClientOptions.KeepAliveInterval has to be at least one second.", nameof(options));
        }
        if (options.MaxResponseMessageBytes <= 0)
        {
            throw new ArgumentException(
                "IngestClientOptions.MaxResponseMessageBytes has to be positive.", nameof(options));
        }
    }
}
