using Ingest.Columns;

namespace Ingest.Decoding;

/// <summary>Writes messages one after the other, and keeps those that are asked for.</summary>
/// <remarks>Cold: for rows of a columns message in which a value breaks a rule.</remarks>
internal sealed class RowBuffer
{
    private const int BytesAtFirst = 16 * 1024;
    private const int BytesKept = 256 * 1024;

    private byte[] _bytes = [];
    private bool _isKept;

    /// <summary>What the message lies in.</summary>
    public byte[] Bytes => _bytes;

    /// <summary>Where the message begins.</summary>
    public int Start { get; private set; }

    /// <summary>Behind the message, so far.</summary>
    public int End { get; private set; }

    public long HeldBytes => _bytes.Length;

    /// <summary>The message.</summary>
    public ReadOnlySpan<byte> Row => _bytes.AsSpan(Start, End - Start);

    /// <summary>Begins a message in the place of the last one.</summary>
    public void BeginRow() => End = Start;

    /// <summary>Keeps the message that was written: its bytes are not touched again.</summary>
    public void Keep()
    {
        Start = End;
        _isKept = true;
    }

    /// <summary>Lets go of the bytes when some of them are kept.</summary>
    public void Release()
    {
        (Start, End) = (0, 0);
        if (_isKept)
        {
            _bytes = [];
            _isKept = false;
        }
    }

    public void AddVarint(ulong value)
    {
        Reserve(NativeFormat.MaxVarintBytes);
        End += NativeFormat.WriteVarint(_bytes.AsSpan(End), value);
    }

    public void Add(ReadOnlySpan<byte> bytes)
    {
        Reserve(bytes.Length);
        bytes.CopyTo(_bytes.AsSpan(End));
        End += bytes.Length;
    }

    /// <summary>Puts the length before what was written since the message had so many bytes.</summary>
    public void InsertLength(int before)
    {
        Span<byte> length = stackalloc byte[NativeFormat.MaxVarintBytes];
        int bytes = NativeFormat.WriteVarint(length, (ulong)(Row.Length - before));
        Reserve(bytes);
        int from = Start + before;
        _bytes.AsSpan(from, End - from).CopyTo(_bytes.AsSpan(from + bytes));
        length[..bytes].CopyTo(_bytes.AsSpan(from));
        End += bytes;
    }

    /// <summary>Lets go of what one large message has blown up.</summary>
    public void Trim() => ColumnMemory.Shrink(ref _bytes, BytesKept);

    private void Reserve(int count)
    {
        if (_bytes.Length - End >= count)
        {
            return;
        }

        // Rows that are kept stay where they are; only the one that is being written moves.
        int length = End - Start;
        var grown = GC.AllocateUninitializedArray<byte>(Math.Max(BytesAtFirst, (length + count) * 2));
        Array.Copy(_bytes, Start, grown, 0, length);
        (_bytes, Start, End) = (grown, 0, length);
    }
}
