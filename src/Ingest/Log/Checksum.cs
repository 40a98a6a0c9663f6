using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Ingest.Log;

/// <summary>
/// CRC-32C (Castagnoli, reflected, initial value and final xor of all ones; RFC 3720 B.4), eight bytes a step by the
/// processor's own instruction where it has one.
/// </summary>
/// <remarks>
/// The instruction takes three cycles and can begin each cycle, so of long runs three stripes are summed side by side and
/// put together: a checksum is linear, and to go over n zero bytes is a matrix (Gopal et al., "Fast CRC Computation for
/// iSCSI Polynomial Using CRC32 Instruction", Intel 2011).
/// </remarks>
internal struct Checksum
{
    private const int StripeBytes = 2048;

    private static readonly uint[] s_overOne = ZeroesTable(StripeBytes);
    private static readonly uint[] s_overTwo = ZeroesTable(2 * StripeBytes);

    // The complement of the running remainder, so that the default value is a checksum of nothing.
    private uint _complement;

    /// <summary>The checksum of all that was added.</summary>
    public readonly uint Value => _complement;

    /// <summary>Checksum of one run of bytes.</summary>
    public static uint Of(ReadOnlySpan<byte> bytes)
    {
        var checksum = default(Checksum);
        checksum.Add(bytes);
        return checksum.Value;
    }

    /// <summary>Adds bytes behind those before.</summary>
    public void Add(ReadOnlySpan<byte> bytes)
    {
        var crc = ~_complement;
        ref var start = ref MemoryMarshal.GetReference(bytes);
        nint at = 0;
        nint end = bytes.Length;
        for (; end - at >= 3 * StripeBytes; at += 3 * StripeBytes)
        {
            uint second = 0;
            uint third = 0;
            for (var i = at; i < at + StripeBytes; i += sizeof(ulong))
            {
                crc = BitOperations.Crc32C(crc, Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref start, i)));
                second = BitOperations.Crc32C(
                    second, Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref start, i + StripeBytes)));
                third = BitOperations.Crc32C(
                    third, Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref start, i + (2 * StripeBytes))));
            }

            crc = OverZeroes(s_overTwo, crc) ^ OverZeroes(s_overOne, second) ^ third;
        }

        for (; at + sizeof(ulong) <= end; at += sizeof(ulong))
        {
            crc = BitOperations.Crc32C(crc, Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref start, at)));
        }

        for (; at < end; at++)
        {
            crc = BitOperations.Crc32C(crc, Unsafe.Add(ref start, at));
        }

        _complement = ~crc;
    }

    /// <summary>Adds eight bytes, little-endian.</summary>
    public void Add(ulong value)
    {
        if (!BitConverter.IsLittleEndian)
        {
            value = System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(value);
        }

        Add(MemoryMarshal.AsBytes(new ReadOnlySpan<ulong>(in value)));
    }

    // The remainder after so many zero bytes, a byte of the remainder before at a time.
    private static uint OverZeroes(uint[] table, uint crc) =>
        table[(byte)crc] ^ table[256 + (byte)(crc >> 8)] ^ table[512 + (byte)(crc >> 16)] ^ table[768 + (crc >> 24)];

    private static uint[] ZeroesTable(int zeroes)
    {
        var table = new uint[4 * 256];
        for (var bit = 0; bit < 32; bit++)
        {
            var crc = 1U << bit;
            for (var i = 0; i < zeroes; i += sizeof(ulong))
            {
                crc = BitOperations.Crc32C(crc, 0UL);
            }

            for (var value = 0; value < 256; value++)
            {
                if ((value >> (bit % 8) & 1) != 0)
                {
                    table[(bit / 8 * 256) + value] ^= crc;
                }
            }
        }

        return table;
    }
}
