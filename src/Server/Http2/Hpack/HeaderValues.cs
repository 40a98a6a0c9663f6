using System.Buffers;
using System.Text;
using System.Text.Unicode;

namespace Ingest.Server.Http2.Hpack;

/// <summary>
/// Makes text of values. Those that repeat from call to call are kept, the last few hundred of them, for all
/// connections: .NET's client indexes nothing, and ten thousand idle connections share one string a path.
/// </summary>
internal static class HeaderValues
{
    private const int Slots = 1024;
    private const int MaxKeptBytes = 128;

    // RFC 9113, 8.2.1.
    private static readonly SearchValues<byte> s_forbidden = SearchValues.Create(0, (byte)'\r', (byte)'\n');

    // Not locked: a slot is read and written whole, and a string is immutable.
    private static readonly string?[] s_kept = new string?[Slots];

    /// <summary>The text of a value; null when it may not stand in a header.</summary>
    public static string? Get(HeaderName name, ReadOnlySpan<byte> value)
    {
        // gRPC lets clients send white space at the ends and servers take it away; HTTP/2 has no use for it.
        value = value.Trim(" \t"u8);
        if (value.IsEmpty)
        {
            return "";
        }

        if (!name.Repeats || value.Length > MaxKeptBytes)
        {
            return Make(value);
        }

        ref var slot = ref s_kept[Octets.Hash(value) & (Slots - 1)];
        if (Volatile.Read(ref slot) is { } kept && Ascii.Equals(value, kept))
        {
            return kept;
        }

        var made = Make(value);
        if (made is not null)
        {
            Volatile.Write(ref slot, made);
        }

        return made;
    }

    private static string? Make(ReadOnlySpan<byte> value)
    {
        if (value.ContainsAny(s_forbidden))
        {
            return null;
        }

        return Ascii.IsValid(value) ? Encoding.ASCII.GetString(value)
            : Utf8.IsValid(value) ? Encoding.UTF8.GetString(value)
            : null;
    }
}
