using Microsoft.Net.Http.Headers;

namespace Ingest.Server.Http2.Hpack;

/// <summary>The fields that client and server know beforehand (RFC 7541, appendix A).</summary>
internal static class StaticTable
{
    /// <summary>The highest index; those of the dynamic table follow.</summary>
    public const int Count = 61;

    /// <summary>Index of the name <c>:status</c>.</summary>
    public const int Status = 8;

    private static readonly HeaderField[] s_fields = Make();

    /// <summary>The fields; index 1 is the first.</summary>
    public static ReadOnlySpan<HeaderField> Fields => s_fields;

    /// <summary>The names, each once.</summary>
    public static IEnumerable<HeaderName> Names => s_fields[1..].Select(entry => entry.Name).Distinct();

    /// <summary>The first index of a name.</summary>
    public static int IndexOf(HeaderName name) => Array.FindIndex(s_fields, entry => entry.Name == name);

    private static HeaderField[] Make()
    {
        (string Name, string Value)[] entries =
        [
            (":authority", ""), (":method", "GET"), (":method", "POST"), (":path", "/"), (":path", "/index.html"),
            (":scheme", "http"), (":scheme", "https"), (":status", "200"), (":status", "204"), (":status", "206"),
            (":status", "304"), (":status", "400"), (":status", "404"), (":status", "500"),
            (HeaderNames.AcceptCharset, ""), (HeaderNames.AcceptEncoding, "gzip, deflate"),
            (HeaderNames.AcceptLanguage, ""), (HeaderNames.AcceptRanges, ""), (HeaderNames.Accept, ""),
            (HeaderNames.AccessControlAllowOrigin, ""), (HeaderNames.Age, ""), (HeaderNames.Allow, ""),
            (HeaderNames.Authorization, ""), (HeaderNames.CacheControl, ""), (HeaderNames.ContentDisposition, ""),
            (HeaderNames.ContentEncoding, ""), (HeaderNames.ContentLanguage, ""), (HeaderNames.ContentLength, ""),
            (HeaderNames.ContentLocation, ""), (HeaderNames.ContentRange, ""), (HeaderNames.ContentType, ""),
            (HeaderNames.Cookie, ""), (HeaderNames.Date, ""), (HeaderNames.ETag, ""), (HeaderNames.Expect, ""),
            (HeaderNames.Expires, ""), (HeaderNames.From, ""), (HeaderNames.Host, ""), (HeaderNames.IfMatch, ""),
            (HeaderNames.IfModifiedSince, ""), (HeaderNames.IfNoneMatch, ""), (HeaderNames.IfRange, ""),
            (HeaderNames.IfUnmodifiedSince, ""), (HeaderNames.LastModified, ""), (HeaderNames.Link, ""),
            (HeaderNames.Location, ""), (HeaderNames.MaxForwards, ""), (HeaderNames.ProxyAuthenticate, ""),
            (HeaderNames.ProxyAuthorization, ""), (HeaderNames.Range, ""), (HeaderNames.Referer, ""),
            ("refresh", ""), (HeaderNames.RetryAfter, ""), (HeaderNames.Server, ""), (HeaderNames.SetCookie, ""),
            (HeaderNames.StrictTransportSecurity, ""), (HeaderNames.TransferEncoding, ""),
            (HeaderNames.UserAgent, ""), (HeaderNames.Vary, ""), (HeaderNames.Via, ""),
            (HeaderNames.WWWAuthenticate, ""),
        ];
        var fields = new HeaderField[entries.Length + 1];
        for (var i = 0; i < entries.Length; i++)
        {
            var (name, value) = entries[i];
            var known = i > 0 && fields[i].Name.Text == name ? fields[i].Name : MakeName(name);
            fields[i + 1] = new HeaderField(known, value, name.Length + value.Length + HeaderField.Overhead);
        }

        return fields;
    }

    private static HeaderName MakeName(string name)
    {
        var id = name switch
        {
            ":authority" => HeaderId.Authority,
            ":method" => HeaderId.Method,
            ":path" => HeaderId.Path,
            ":scheme" => HeaderId.Scheme,
            _ when name == HeaderNames.ContentLength => HeaderId.ContentLength,
            _ when name == HeaderNames.ContentType => HeaderId.ContentType,
            _ when name == HeaderNames.Cookie => HeaderId.Cookie,
            _ when name == HeaderNames.Host => HeaderId.Host,
            _ when name == HeaderNames.TransferEncoding => HeaderId.TransferEncoding,
            _ => HeaderId.Other,
        };
        var repeats = id is HeaderId.Authority or HeaderId.Method or HeaderId.Path or HeaderId.Scheme
                or HeaderId.ContentType or HeaderId.Host
            || name == HeaderNames.UserAgent || name == HeaderNames.Accept || name == HeaderNames.AcceptEncoding
            || name == HeaderNames.AcceptLanguage || name == HeaderNames.ContentEncoding;
        return new HeaderName(name, id, repeats);
    }
}
