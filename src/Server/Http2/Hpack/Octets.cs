using System.Buffers.Binary;
using System.Numerics;

namespace Ingest.Server.Http2.Hpack;

/// <summary>Compares bytes from the wire with text that is known.</summary>
internal static class Octets
{
    private const ulong Multiplier = 0x9E3779B97F4A7C15;

    /// <summary>A number to find a slot by; that others can make collisions costs them a string each.</summary>
    public static int Hash(ReadOnlySpan<byte> bytes)
    {
        var hash = (ulong)bytes.Length * Multiplier;
        for (; bytes.Length >= sizeof(ulong); bytes = bytes[sizeof(ulong)..])
        {
            hash = BitOperations.RotateLeft((hash ^ BinaryPrimitives.ReadUInt64LittleEndian(bytes)) * Multiplier, 29);
        }

        foreach (var octet in bytes)
        {
            hash = (hash ^ octet) * Multiplier;
        }

        return (int)(((hash ^ (hash >> 32)) * Multiplier) >> 33);
    }

    /// <summary>Whether the bytes are this text, octet for character.</summary>
    public static bool Equal(ReadOnlySpan<byte> bytes, string text)
    {
        if (bytes.Length != text.Length)
        {
            return false;
        }

        for (var i = 0; i < bytes.Length; i++)
        {
            if (bytes[i] != text[i])
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Whether the bytes are this ASCII text in lower case.</summary>
    public static bool EqualsLowered(ReadOnlySpan<byte> bytes, string text)
    {
        if (bytes.Length != text.Length)
        {
            return false;
        }

        for (var i = 0; i < bytes.Length; i++)
        {
            var character = text[i];
            if (bytes[i] != (char.IsAsciiLetterUpper(character) ? character | 0x20 : character))
            {
                return false;
            }
        }

        return true;
    }
}
