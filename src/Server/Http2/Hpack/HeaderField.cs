namespace Ingest.Server.Http2.Hpack;

/// <summary>An entry of the static or the dynamic table.</summary>
/// <param name="Name">The name.</param>
/// <param name="Value">The value as text; null when it may not stand in a header.</param>
/// <param name="Bytes">Octets of name and value as they were sent, and 32 (RFC 7541, 4.1).</param>
internal readonly record struct HeaderField(HeaderName Name, string? Value, int Bytes)
{
    /// <summary>What an entry counts beyond its name and value.</summary>
    public const int Overhead = 32;
}
