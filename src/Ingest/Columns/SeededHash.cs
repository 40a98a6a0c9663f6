using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;

namespace Ingest.Columns;

/// <summary>A hash of bytes that come from senders, by a secret of the process.</summary>
/// <remarks>
/// Without the secret a sender could choose strings that collide. Multiplied and folded as in wyhash (Wang Yi, 2019). Hot.
/// </remarks>
internal static class SeededHash
{
    private const ulong Odd = 0x9E37_79B9_7F4A_7C15; // The golden ratio: bits without a pattern.

    private static readonly ulong s_secret = BinaryPrimitives.ReadUInt64LittleEndian(
        RandomNumberGenerator.GetBytes(sizeof(ulong)));

    /// <summary>The hash of some bytes.</summary>
    /// <param name="bytes">The bytes.</param>
    /// <param name="scope">Tells apart the same bytes of different places.</param>
    public static ulong Of(ReadOnlySpan<byte> bytes, int scope = 0)
    {
        ulong hash = s_secret ^ ((ulong)bytes.Length * Odd) ^ ((ulong)(uint)scope << 32);
        while (bytes.Length > sizeof(ulong))
        {
            hash = Mix(hash, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            bytes = bytes[sizeof(ulong)..];
        }

        ulong last = 0;
        if (bytes.Length == sizeof(ulong))
        {
            last = BinaryPrimitives.ReadUInt64LittleEndian(bytes);
        }
        else if (bytes.Length >= sizeof(uint))
        {
            last = BinaryPrimitives.ReadUInt32LittleEndian(bytes)
                | ((ulong)BinaryPrimitives.ReadUInt32LittleEndian(bytes[^sizeof(uint)..]) << 32);
        }
        else if (bytes.Length > 0)
        {
            last = bytes[0] | ((ulong)bytes[bytes.Length / 2] << 8) | ((ulong)bytes[^1] << 16);
        }

        return Mix(hash, last);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Mix(ulong hash, ulong word)
    {
        ulong high = Math.BigMul(hash ^ word, Odd ^ s_secret, out ulong low);
        return high ^ low;
    }
}
