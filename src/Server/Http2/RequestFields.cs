using System.Globalization;
using Ingest.Server.Http2.Hpack;

namespace Ingest.Server.Http2;

/// <summary>The fields of a request, or those behind its body, and whether they may be as they are (RFC 9113, 8).</summary>
internal struct RequestFields(bool isRequest) : IHeaderSink
{
    private bool _isMalformed;
    private bool _hasPseudo;

    /// <summary>The fields that are no pseudo-headers.</summary>
    public Http2Headers Headers { get; } = new();

    public string? Method { get; private set; }

    public string? Scheme { get; private set; }

    public string? Path { get; private set; }

    public string? Authority { get; private set; }

    /// <summary>What <c>content-length</c> says; null: nothing.</summary>
    public long? ContentLength { get; private set; }

    /// <summary>Whether they are a request's.</summary>
    public readonly bool IsRequest => !_isMalformed && (Method == HttpMethods.Connect
        ? Scheme is null && Path is null && Authority is not null
        : Method is { Length: > 0 } && Scheme is "http" or "https" && IsPath);

    /// <summary>Whether they can stand behind a body.</summary>
    public readonly bool AreTrailers => !_isMalformed && !_hasPseudo;

    private readonly bool IsPath => Path is { Length: > 0 } path
        && (path[0] == '/' || (path == "*" && HttpMethods.IsOptions(Method!)));

    /// <inheritdoc/>
    public void OnHeader(HeaderName name, string? value)
    {
        if (value is null || !name.IsValid)
        {
            _isMalformed = true;
            return;
        }

        if (name.IsPseudo)
        {
            OnPseudo(name.Id, value);
            return;
        }

        switch (name.Id)
        {
            case HeaderId.Connection or HeaderId.KeepAlive or HeaderId.ProxyConnection or HeaderId.TransferEncoding
                or HeaderId.Upgrade:
                _isMalformed = true;
                return;
            case HeaderId.Te when value != "trailers":
                _isMalformed = true;
                return;
            case HeaderId.ContentLength:
                _isMalformed |= !long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out long length)
                    || (ContentLength is { } other && other != length);
                ContentLength = length;
                break;
            case HeaderId.Cookie:
                Headers.Join(name.Text, value);
                return;
        }

        Headers.Add(name.Text, value);
    }

    private void OnPseudo(HeaderId id, string value)
    {
        // They come first, once each, and in requests only.
        _hasPseudo = true;
        _isMalformed |= !isRequest || Headers.Count > 0;
        switch (id)
        {
            case HeaderId.Method:
                _isMalformed |= Method is not null;
                Method = value;
                break;
            case HeaderId.Scheme:
                _isMalformed |= Scheme is not null;
                Scheme = value;
                break;
            case HeaderId.Path:
                _isMalformed |= Path is not null;
                Path = value;
                break;
            case HeaderId.Authority:
                _isMalformed |= Authority is not null;
                Authority = value;
                break;
            default:
                _isMalformed = true;
                break;
        }
    }
}
