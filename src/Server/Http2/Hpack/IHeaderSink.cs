namespace Ingest.Server.Http2.Hpack;

/// <summary>
/// What takes a header block's fields, in the order in which they came. As a struct it is called directly.
/// </summary>
internal interface IHeaderSink
{
    /// <summary>A field.</summary>
    /// <param name="name">
    /// The name, pseudo-headers included. One object for all times that a known name comes: compare
    /// <see cref="HeaderName.Id"/>, store <see cref="HeaderName.Text"/>. It may be no valid name
    /// (<see cref="HeaderName.IsValid"/>): then the request is malformed (RFC 9113, 8.2.1), the connection is well.
    /// </param>
    /// <param name="value">
    /// The value without white space at its ends. What comes from a table, and what repeats from call to call
    /// (<c>:path</c>, <c>:authority</c>, <c>user-agent</c>, <c>content-type</c> ...), is the same string each time.
    /// Null when it may not stand in a header: NUL, CR, LF, or what is not UTF-8. Then the request is malformed, too.
    /// </param>
    void OnHeader(HeaderName name, string? value);
}
