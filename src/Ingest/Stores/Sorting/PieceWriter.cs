using System.Buffers.Binary;
using System.Text;
using Ingest.Columns;

namespace Ingest.Stores.Sorting;

/// <summary>Hands bytes on in pieces of a bounded length: small ones gathered, long ones as they are.</summary>
/// <param name="buffer">What small ones are gathered in.</param>
/// <param name="target">Takes a piece; false when it takes no more.</param>
internal sealed class PieceWriter(byte[] buffer, Func<ReadOnlySpan<byte>, bool> target)
{
    private int _gathered;

    /// <summary>Whether the target takes no more: what is written is dropped.</summary>
    public bool IsBroken { get; private set; }

    /// <summary>Writes bytes.</summary>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > buffer.Length - _gathered)
        {
            Flush();
        }

        while (bytes.Length > buffer.Length)
        {
            Send(bytes[..buffer.Length]);
            bytes = bytes[buffer.Length..];
        }

        bytes.CopyTo(buffer.AsSpan(_gathered));
        _gathered += bytes.Length;
    }

    /// <summary>Writes eight bytes.</summary>
    public void WriteUInt64(ulong value)
    {
        if (buffer.Length - _gathered < sizeof(ulong))
        {
            Flush();
        }

        BinaryPrimitives.WriteUInt64LittleEndian(buffer.AsSpan(_gathered), value);
        _gathered += sizeof(ulong);
    }

    /// <summary>Writes a varint.</summary>
    public void WriteVarint(ulong value)
    {
        Span<byte> bytes = stackalloc byte[NativeFormat.MaxVarintBytes];
        Write(bytes[..NativeFormat.WriteVarint(bytes, value)]);
    }

    /// <summary>Writes a text with its length before it.</summary>
    public void WriteText(string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        WriteVarint((ulong)bytes.Length);
        Write(bytes);
    }

    /// <summary>Hands on what is gathered.</summary>
    public void Flush()
    {
        Send(buffer.AsSpan(0, _gathered));
        _gathered = 0;
    }

    private void Send(ReadOnlySpan<byte> bytes)
    {
        if (!bytes.IsEmpty && !IsBroken)
        {
            IsBroken = !target(bytes);
        }
    }
}
