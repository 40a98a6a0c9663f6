using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Http.Features;

namespace Ingest.Server.Http2;

/// <content>The request.</content>
internal abstract partial class Http2Stream : IHttpRequestFeature, IRequestBodyPipeFeature, IHttpRequestBodyDetectionFeature,
    IHttpRequestTrailersFeature, IHttpRequestLifetimeFeature, IHttpRequestIdentifierFeature, IHttpConnectionFeature,
    IHttpMaxRequestBodySizeFeature, IHttpBodyControlFeature, IEndpointFeature, IRouteValuesFeature
{
    private static readonly Http2Headers s_none = new() { IsReadOnly = true };

    private IHeaderDictionary _requestHeaders = s_none;
    private Http2Headers? _requestTrailers;
    private Stream? _requestStream;
    private CancellationTokenSource? _aborted;
    private CancellationToken? _abortedByOther;
    private RouteValueDictionary? _routeValues;
    private IPAddress? _remoteAddress;
    private IPAddress? _localAddress;
    private int? _remotePort;
    private int? _localPort;
    private string? _connectionId;
    private string? _traceId;
    private long? _maxBodyBytes;
    private bool _canHaveBody;

    /// <inheritdoc/>
    public string Protocol { get; set; } = HttpProtocol.Http2;

    /// <inheritdoc/>
    public string Scheme { get; set; } = "http";

    /// <inheritdoc/>
    public string Method { get; set; } = "";

    /// <inheritdoc/>
    public string PathBase { get; set; } = "";

    /// <inheritdoc/>
    public string Path { get; set; } = "";

    /// <inheritdoc/>
    public string QueryString { get; set; } = "";

    /// <inheritdoc/>
    public string RawTarget { get; set; } = "";

    /// <inheritdoc/>
    public bool CanHaveBody => _canHaveBody;

    /// <inheritdoc/>
    public bool Available => _requestBody.IsEnded;

    /// <inheritdoc/>
    public IHeaderDictionary Trailers => _requestTrailers ?? s_none;

    /// <inheritdoc/>
    public bool AllowSynchronousIO { get; set; }

    /// <inheritdoc/>
    public Endpoint? Endpoint { get; set; }

    /// <inheritdoc/>
    public RouteValueDictionary RouteValues
    {
        get => _routeValues ??= [];
        set => _routeValues = value;
    }

    /// <inheritdoc/>
    public CancellationToken RequestAborted
    {
        get
        {
            if (_abortedByOther is { } other)
            {
                return other;
            }

            lock (_gate)
            {
                if (_aborted is null)
                {
                    _aborted = new CancellationTokenSource();
                    if (_isGone)
                    {
                        _aborted.Cancel();
                    }
                }

                return _aborted.Token;
            }
        }

        set => _abortedByOther = value;
    }

    IHeaderDictionary IHttpRequestFeature.Headers
    {
        get => _requestHeaders;
        set => _requestHeaders = value;
    }

    Stream IHttpRequestFeature.Body
    {
        get => _requestStream ??= _requestBody.AsStream();
        set => _requestStream = value;
    }

    PipeReader IRequestBodyPipeFeature.Reader => _requestBody;

    string IHttpRequestIdentifierFeature.TraceIdentifier
    {
        get => _traceId ??= $"{Connection.Context.ConnectionId}:{Id:X8}";
        set => _traceId = value;
    }

    string IHttpConnectionFeature.ConnectionId
    {
        get => _connectionId ??= Connection.Context.ConnectionId;
        set => _connectionId = value;
    }

    IPAddress? IHttpConnectionFeature.RemoteIpAddress
    {
        get => _remoteAddress ?? (Connection.Context.RemoteEndPoint as IPEndPoint)?.Address;
        set => _remoteAddress = value;
    }

    IPAddress? IHttpConnectionFeature.LocalIpAddress
    {
        get => _localAddress ?? (Connection.Context.LocalEndPoint as IPEndPoint)?.Address;
        set => _localAddress = value;
    }

    int IHttpConnectionFeature.RemotePort
    {
        get => _remotePort ?? (Connection.Context.RemoteEndPoint as IPEndPoint)?.Port ?? 0;
        set => _remotePort = value;
    }

    int IHttpConnectionFeature.LocalPort
    {
        get => _localPort ?? (Connection.Context.LocalEndPoint as IPEndPoint)?.Port ?? 0;
        set => _localPort = value;
    }

    bool IHttpMaxRequestBodySizeFeature.IsReadOnly => _requestBody.IsBeingRead;

    long? IHttpMaxRequestBodySizeFeature.MaxRequestBodySize
    {
        get => _maxBodyBytes;
        set => _maxBodyBytes = value;
    }

    /// <summary>The fields behind the body.</summary>
    public void SetTrailers(Http2Headers trailers) => _requestTrailers = trailers;

    /// <inheritdoc/>
    public void Abort() => Connection.Reset(this, Http2ErrorCode.InternalError);

    private void SetRequest(in RequestFields fields)
    {
        Http2Headers headers = fields.Headers;
        Method = fields.Method!;
        Scheme = fields.Scheme ?? "http";
        if (fields.Authority is { Length: > 0 } authority)
        {
            headers.Host(authority);
        }

        RawTarget = fields.Path ?? fields.Authority ?? "";
        if (fields.Path is { } path && path != "*")
        {
            int query = path.IndexOf('?', StringComparison.Ordinal);
            if (query >= 0)
            {
                QueryString = path[query..];
                path = path[..query];
            }

            Path = IsPlain(path) ? path : Decode(path);
        }

        _requestHeaders = headers;
    }

    private static bool IsPlain(string path) =>
        !path.Contains('%', StringComparison.Ordinal) && !path.Contains("/.", StringComparison.Ordinal);

    // Dots are resolved before anything is decoded, so that what is decoded cannot lead out.
    private static string Decode(string path) =>
        Uri.TryCreate("http://host" + path, UriKind.Absolute, out Uri? uri)
            ? PathString.FromUriComponent(uri).Value ?? "/"
            : path;

    private void CancelRequest()
    {
        CancellationTokenSource? aborted;
        lock (_gate)
        {
            aborted = _aborted;
        }

        try
        {
            aborted?.Cancel();
        }
        catch (AggregateException error)
        {
            LogMessages.CancellationFailed(Connection.Logger, error, Path);
        }
    }
}
