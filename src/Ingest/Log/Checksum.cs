using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Ingest.Log;

/// <summary>
/// CRC-32C (Castagnoli, reflected, initial value and final xor of all ones; RFC 3720 B.4), eight bytes a step by the
/// processor's own instruction where it has one.
/// </summary>
internal struct Checksum
{
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
}
