using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Ingest.Decoding;

namespace Ingest.Topics.Filters;

/// <summary>Walks the fields of a serialised message.</summary>
/// <remarks>Hot; on the stack. Bytes that are no message end the walk.</remarks>
internal ref struct WireFields(ReadOnlySpan<byte> message)
{
    private readonly ReadOnlySpan<byte> _message = message;
    private int _at;

    /// <summary>Number of the field.</summary>
    public int Number { get; private set; }

    /// <summary>Wire type of its value.</summary>
    public uint WireType { get; private set; }

    /// <summary>The value of a varint, or the bits of one of 4 or 8 bytes.</summary>
    public ulong Bits { get; private set; }

    /// <summary>The value of text, bytes, a message or a packed list.</summary>
    public ReadOnlySpan<byte> Bytes { get; private set; }

    /// <summary>Goes to the next field; false at the end.</summary>
    public bool Next()
    {
        ref byte source = ref MemoryMarshal.GetReference(_message);
        int end = _message.Length;
        if (_at >= end)
        {
            return false;
        }

        int at = Wire.ReadTag(ref source, _at, end, out uint tag);
        if (at < 0)
        {
            return Stop();
        }

        Number = (int)(tag >> 3);
        WireType = tag & 7;
        int behind = Wire.Skip(ref source, at, end, tag, depth: 0);
        if (behind < 0)
        {
            return Stop();
        }

        switch (WireType)
        {
            case Wire.Varint:
                Wire.ReadVarint(ref source, at, end, out ulong bits);
                Bits = bits;
                break;
            case Wire.I64:
                Bits = BinaryPrimitives.ReadUInt64LittleEndian(_message[at..]);
                break;
            case Wire.I32:
                Bits = BinaryPrimitives.ReadUInt32LittleEndian(_message[at..]);
                break;
            case Wire.Len:
                int start = Wire.ReadLength(ref source, at, end, out int length);
                Bytes = _message.Slice(start, length);
                break;
        }

        _at = behind;
        return true;
    }

    private bool Stop()
    {
        _at = _message.Length;
        return false;
    }
}
