using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using Ingest.Protocol;

namespace Ingest.Server.Grpc;

/// <summary>What a service knows of a call beside its messages.</summary>
/// <remarks>
/// Used by the call's service, one thread at a time; cancellation may come from any thread. It is not to be used after
/// the service's method has returned.
/// </remarks>
[SuppressMessage("Design", "CA1001", Justification =
    "A token source without a timer owns nothing, and a late callback may still cancel it.")]
public sealed partial class CallContext
{
    private readonly HttpContext _http;
    private readonly WireFormat _format;
    private readonly CancellationTokenSource _cancellation = new();
    private readonly Lock _gate = new();
    private Metadata? _requestHeaders;
    private Metadata? _responseHeaders;
    private Metadata? _responseTrailers;
    private bool _headersWritten;
    private bool _announcesGzip;
    private bool _ended;
    private CancelReason _reason;

    internal CallContext(
        HttpContext http, WireFormat format, GrpcServerOptions options, MethodMetrics metrics, RequestMemory memory,
        CancellationToken draining)
    {
        _http = http;
        _format = format;
        Draining = draining;
        var headers = http.Request.Headers;
        RequestEncoding = headers[GrpcHeaders.Encoding].ToString() is { Length: > 0 } encoding
            ? encoding
            : MessageCompression.Identity;
        _webText = format == WireFormat.WebText ? new WebTextBody(http.Request.BodyReader) : null;
        var body = _webText?.Reader ?? http.Request.BodyReader;
        Requests = new RequestStream(body, options.MaxMessageBytes, RequestEncoding == MessageCompression.Gzip,
            metrics, _cancellation.Token, memory);
        Responses = new ResponseStream(this, http.Response.BodyWriter, format, metrics);
    }

    /// <summary>The method's path: <c>/package.Service/Method</c>.</summary>
    public string Method => _http.Request.Path.Value ?? "";

    /// <summary>The client's address: <c>ipv4:1.2.3.4:5</c> or <c>ipv6:[::1]:5</c>.</summary>
    public string Peer => _http.Connection.RemoteIpAddress is not { } address ? "unknown"
        : new IPEndPoint(address, _http.Connection.RemotePort) is var end
            && address.AddressFamily == AddressFamily.InterNetworkV6 ? $"ipv6:{end}" : $"ipv4:{end}";

    /// <summary>What the client sent, without the transport's own headers.</summary>
    /// <exception cref="RpcException">INTERNAL: a value of a <c>-bin</c> key is not base64.</exception>
    public Metadata RequestHeaders => _requestHeaders ??= ReadRequestHeaders();

    /// <summary>A header of the client as it came, without the others being read; null when there is none.</summary>
    internal string? FindRequestHeader(string name) =>
        _http.Request.Headers[name].ToString() is { Length: > 0 } value ? value : null;

    /// <summary>Sent before the first response; later additions have no effect.</summary>
    public Metadata ResponseHeaders => _responseHeaders ??= [];

    /// <summary>Sent after the last response, beside the status.</summary>
    public Metadata ResponseTrailers => _responseTrailers ??= [];

    /// <summary>When the client stops waiting; null: never.</summary>
    public DateTimeOffset? Deadline { get; private set; }

    /// <summary>Cancelled when the client leaves, the deadline passes, or the server's grace time is over.</summary>
    public CancellationToken CancellationToken => _cancellation.Token;

    /// <summary>Cancelled when the server begins to stop: a stream that lives long tells its client and ends.</summary>
    public CancellationToken Draining { get; }

    /// <summary>
    /// Whether the responses written from now on are compressed with gzip, if the client can read that. Default false.
    /// It must be set before the headers are sent to have an effect, and can then be switched message by message.
    /// </summary>
    public bool CompressResponses { get; set; }

    /// <summary>The requests as bytes.</summary>
    internal RequestStream Requests { get; }

    /// <summary>The responses as bytes.</summary>
    internal ResponseStream Responses { get; }

    /// <summary>The client's <c>grpc-encoding</c>.</summary>
    internal string RequestEncoding { get; }

    /// <summary>Whether the next response is compressed; known once the headers are written.</summary>
    internal bool CompressesNow => CompressResponses && _announcesGzip;

    /// <summary>Why the call was cancelled.</summary>
    internal CancelReason Reason
    {
        get
        {
            lock (_gate)
            {
                return _reason;
            }
        }
    }

    /// <summary>Whether the last request came compressed.</summary>
    public bool RequestWasCompressed => Requests.LastMessageWasCompressed;

    /// <summary>Sends the response headers now instead of with the first response.</summary>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    public ValueTask WriteHeadersAsync() => Responses.FlushAsync();

    /// <summary>Called before each write: sends the headers first, and fails when the call is over.</summary>
    internal void BeginWrite()
    {
        if (_ended || !_headersWritten || _cancellation.IsCancellationRequested)
        {
            BeginWriteSlow();
        }
    }

    private void BeginWriteSlow()
    {
        ObjectDisposedException.ThrowIf(_ended, this);
        _cancellation.Token.ThrowIfCancellationRequested();
        WriteHeaders();
    }

    private void WriteHeaders()
    {
        _headersWritten = true;
        WriteTransportHeaders();
        var headers = _http.Response.Headers;
        _announcesGzip = CompressResponses && MessageCompression.Accepts(
            _http.Request.Headers[GrpcHeaders.AcceptEncoding].ToString(), MessageCompression.Gzip);
        if (_announcesGzip)
        {
            headers[GrpcHeaders.Encoding] = MessageCompression.Gzip;
        }

        Append(_responseHeaders, headers);
    }

    private void WriteTransportHeaders()
    {
        _http.Response.ContentType = _format.ContentType();
        _http.Response.Headers[GrpcHeaders.AcceptEncoding] = MessageCompression.Accepted;
    }

    private Metadata ReadRequestHeaders()
    {
        Metadata metadata = [];
        foreach (var (name, values) in _http.Request.Headers)
        {
            if (GrpcHeaders.IsReserved(name))
            {
                continue;
            }

            foreach (var value in values)
            {
                if (!metadata.TryAddEncoded(name, value ?? "") && Metadata.IsBinaryKey(name))
                {
                    throw GrpcErrors.MalformedMetadata(name);
                }
            }
        }

        return metadata;
    }

    private static void Append(Metadata? metadata, IHeaderDictionary headers)
    {
        foreach (var entry in metadata ?? [])
        {
            if (!GrpcHeaders.IsReserved(entry.Key))
            {
                headers.Append(entry.Key, entry.Value);
            }
        }
    }
}
