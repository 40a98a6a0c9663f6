using System.Buffers;
using System.Buffers.Text;
using System.Collections.Frozen;
using System.Text;

namespace Ingest.Server.Http2.Hpack;

/// <summary>
/// Writes header blocks without state (RFC 7541): the static table and literals that are not indexed, no Huffman code.
/// So a block is good for every connection, and may be made beforehand.
/// </summary>
/// <remarks>
/// A client that sets SETTINGS_HEADER_TABLE_SIZE below 4096 wants the first block after our acknowledgement to begin
/// with <see cref="NoTable"/> (RFC 9113, 4.3.1). To begin a connection's first block with it always does no harm.
/// </remarks>
internal static class HpackEncoder
{
    /// <summary>The table size update to 0.</summary>
    public const byte NoTable = 0x20;

    /// <summary>Bytes of the longest <c>:status</c>.</summary>
    public const int MaxStatusBytes = 5;

    private const int IndexMask = 0x0F;
    private const int LengthMask = 0x7F;
    private const int MaxIntegerBytes = 6;

    // RFC 9110, 5.6.2, and 5.5: what a response of ours may hold.
    private static readonly SearchValues<char> s_token =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");

    private static readonly SearchValues<char> s_text =
        SearchValues.Create("\t" + string.Concat(Enumerable.Range(' ', '~' - ' ' + 1).Select(c => (char)c)));

    private static readonly FrozenDictionary<string, int> s_indexes = StaticTable.Names
        .Where(name => !name.IsPseudo)
        .ToFrozenDictionary(name => name.Text, StaticTable.IndexOf, StringComparer.OrdinalIgnoreCase);

    /// <summary>Bytes that a field takes at most.</summary>
    public static int MaxBytes(string name, string value) =>
        1 + MaxIntegerBytes + name.Length + MaxIntegerBytes + value.Length;

    /// <summary>Writes <c>:status</c>, 100 to 999.</summary>
    /// <param name="status">The status.</param>
    /// <param name="destination">Room for <see cref="MaxStatusBytes"/>.</param>
    /// <returns>The bytes written.</returns>
    public static int WriteStatus(int status, Span<byte> destination)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(status, 100);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(status, 999);
        var index = status switch { 200 => 8, 204 => 9, 206 => 10, 304 => 11, 400 => 12, 404 => 13, 500 => 14, _ => 0 };
        if (index != 0)
        {
            destination[0] = (byte)(0x80 | index);
            return 1;
        }

        destination[0] = StaticTable.Status;
        destination[1] = 3;
        Utf8Formatter.TryFormat(status, destination[2..], out var digits);
        return 2 + digits;
    }

    /// <summary>Writes a field, its name in lower case.</summary>
    /// <param name="name">The name.</param>
    /// <param name="value">The value.</param>
    /// <param name="destination">Where to; with room for <see cref="MaxBytes"/> it cannot fail.</param>
    /// <param name="written">The bytes written; 0 when it fails.</param>
    /// <returns>False when there is no room.</returns>
    /// <exception cref="InvalidOperationException">
    /// The name is no token, or the value holds control characters or others than ASCII.
    /// </exception>
    public static bool TryWrite(string name, string value, Span<byte> destination, out int written)
    {
        ThrowIfInvalid(name, value);
        written = 0;
        var used = 0;
        if (s_indexes.TryGetValue(name, out var index))
        {
            if (!TryWriteInteger(index, IndexMask, destination, ref used))
            {
                return false;
            }
        }
        else
        {
            if (destination.IsEmpty)
            {
                return false;
            }

            destination[used++] = 0;
            if (!TryWriteInteger(name.Length, LengthMask, destination, ref used)
                || Ascii.ToLower(name, destination[used..], out var lowered) != OperationStatus.Done)
            {
                return false;
            }

            used += lowered;
        }

        if (!TryWriteInteger(value.Length, LengthMask, destination, ref used)
            || Ascii.FromUtf16(value, destination[used..], out var copied) != OperationStatus.Done)
        {
            return false;
        }

        written = used + copied;
        return true;
    }

    /// <summary>Makes a block, or the beginning of one, for use in many responses.</summary>
    /// <param name="status">The status; 0 for a block without one, such as trailers.</param>
    /// <param name="fields">The fields.</param>
    /// <exception cref="InvalidOperationException">As <see cref="TryWrite"/>.</exception>
    public static byte[] Encode(int status, params ReadOnlySpan<(string Name, string Value)> fields)
    {
        var size = MaxStatusBytes;
        foreach (var (name, value) in fields)
        {
            size += MaxBytes(name, value);
        }

        var block = new byte[size];
        var used = status == 0 ? 0 : WriteStatus(status, block);
        foreach (var (name, value) in fields)
        {
            TryWrite(name, value, block.AsSpan(used), out var written);
            used += written;
        }

        return block[..used];
    }

    private static bool TryWriteInteger(int value, int mask, Span<byte> destination, ref int used)
    {
        if (destination.Length - used < MaxIntegerBytes && destination.Length - used < IntegerBytes(value, mask))
        {
            return false;
        }

        if (value < mask)
        {
            destination[used++] = (byte)value;
            return true;
        }

        destination[used++] = (byte)mask;
        for (value -= mask; value >= 0x80; value >>= 7)
        {
            destination[used++] = (byte)(value | 0x80);
        }

        destination[used++] = (byte)value;
        return true;
    }

    private static int IntegerBytes(int value, int mask)
    {
        var bytes = 1;
        if (value >= mask)
        {
            for (bytes = 2, value -= mask; value >= 0x80; value >>= 7)
            {
                bytes++;
            }
        }

        return bytes;
    }

    private static void ThrowIfInvalid(string name, string value)
    {
        if (name.Length == 0 || name.AsSpan().ContainsAnyExcept(s_token))
        {
            throw new InvalidOperationException($"'{name}' is no name of a header.");
        }

        if (value.AsSpan().ContainsAnyExcept(s_text))
        {
            throw new InvalidOperationException($"The value of the header {name} holds more than ASCII text.");
        }
    }
}
