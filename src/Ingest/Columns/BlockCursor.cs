using System.Buffers.Binary;
using System.Text;

namespace Ingest.Columns;

/// <summary>Reads a block's bytes in order. Cold: for blocks that are taken apart again, one by one.</summary>
internal sealed class BlockCursor(ReadOnlyMemory<byte> bytes)
{
    /// <summary>Bytes read so far.</summary>
    public int Position { get; private set; }

    /// <summary>Takes bytes.</summary>
    /// <exception cref="InvalidDataException">There are not as many.</exception>
    public ReadOnlyMemory<byte> Take(long count)
    {
        if (count < 0 || count > bytes.Length - Position)
        {
            throw new InvalidDataException($"the block ends at {bytes.Length}, in the middle of a value at {Position}");
        }

        ReadOnlyMemory<byte> taken = bytes.Slice(Position, (int)count);
        Position += (int)count;
        return taken;
    }

    /// <summary>Reads a varint.</summary>
    public ulong Varint()
    {
        ulong value = 0;
        for (int shift = 0; shift < 64; shift += 7)
        {
            byte current = Take(1).Span[0];
            value |= (ulong)(current & 0x7f) << shift;
            if (current < 0x80)
            {
                return value;
            }
        }

        throw new InvalidDataException($"the number at {Position} does not end");
    }

    /// <summary>Reads a number that counts things of which each takes a bit at least.</summary>
    public int Count(ulong number) => number <= 8 * (ulong)bytes.Length
        ? (int)number
        : throw new InvalidDataException($"{number} at {Position} is more than the block holds");

    /// <summary>Reads eight bytes.</summary>
    public ulong UInt64() => BinaryPrimitives.ReadUInt64LittleEndian(Take(sizeof(ulong)).Span);

    /// <summary>Reads a length and a text of that many bytes.</summary>
    public string Text() => Encoding.UTF8.GetString(Take(Count(Varint())).Span);
}
