using Microsoft.Net.Http.Headers;

namespace Ingest.Server.Http2.Hpack;

/// <summary>
/// Finds the object of a name: the known ones in a table, of others the last few hundred, so that the metadata that an
/// application sends with every call makes no strings.
/// </summary>
internal static class KnownHeaders
{
    private const int Slots = 256;
    private const int OtherSlots = 512;
    private const int MaxOtherBytes = 64;

    // Names beside those of the static table: what gRPC and browsers send, and what is forbidden.
    private static readonly HeaderName[] s_known =
    [
        .. StaticTable.Names,
        new(HeaderNames.TE, HeaderId.Te, true),
        new(HeaderNames.GrpcTimeout, HeaderId.Other, false),
        new(HeaderNames.GrpcEncoding, HeaderId.Other, true),
        new(HeaderNames.GrpcAcceptEncoding, HeaderId.Other, true),
        new(HeaderNames.TraceParent, HeaderId.Other, false),
        new(HeaderNames.TraceState, HeaderId.Other, false),
        new(HeaderNames.Baggage, HeaderId.Other, false),
        new(HeaderNames.Origin, HeaderId.Other, true),
        new(HeaderNames.Connection, HeaderId.Connection, false),
        new(HeaderNames.KeepAlive, HeaderId.KeepAlive, false),
        new(HeaderNames.ProxyConnection, HeaderId.ProxyConnection, false),
        new(HeaderNames.Upgrade, HeaderId.Upgrade, false),
    ];

    private static readonly HeaderName?[] s_table = MakeTable();

    // Shared by all connections and not locked: a slot is read and written whole, and a name is immutable.
    private static readonly HeaderName?[] s_others = new HeaderName?[OtherSlots];

    /// <summary>The object of a name.</summary>
    public static HeaderName Get(ReadOnlySpan<byte> name)
    {
        var hash = Octets.Hash(name);
        for (var slot = hash & (Slots - 1); s_table[slot] is { } known; slot = (slot + 1) & (Slots - 1))
        {
            // What came in upper case is not a known name but an invalid one.
            if (Octets.EqualsLowered(name, known.Text))
            {
                return known;
            }
        }

        if (name.Length > MaxOtherBytes)
        {
            return new HeaderName(name);
        }

        ref var other = ref s_others[hash & (OtherSlots - 1)];
        if (Volatile.Read(ref other) is { } last && Octets.Equal(name, last.Text))
        {
            return last;
        }

        var made = new HeaderName(name);
        Volatile.Write(ref other, made);
        return made;
    }

    private static HeaderName?[] MakeTable()
    {
        var table = new HeaderName?[Slots];
        Span<byte> lowered = stackalloc byte[MaxOtherBytes];
        foreach (var name in s_known)
        {
            System.Text.Ascii.ToLower(name.Text, lowered, out var length);
            var slot = Octets.Hash(lowered[..length]) & (Slots - 1);
            while (table[slot] is not null)
            {
                slot = (slot + 1) & (Slots - 1);
            }

            table[slot] = name;
        }

        return table;
    }
}
