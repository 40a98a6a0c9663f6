using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Ingest.Columns;

namespace Ingest.Stores.Sorting;

/// <summary>Texts: lengths first, which say where each goes, then the texts, each with its length before it.</summary>
internal sealed class SortedTexts : SortedValues
{
    private ScratchBytes _scratch = null!;
    private ArraySegment<byte> _starts; // Lengths in the first pass.
    private ArraySegment<byte> _sorted;

    public override int Passes => 2;

    /// <summary>Length of a text and of the number before it; <see cref="SortedValues.Incomplete"/> at the bytes' end.</summary>
    /// <exception cref="InvalidDataException">The number is none.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int MeasureOne(ReadOnlySpan<byte> bytes, int at)
    {
        if ((uint)at < (uint)bytes.Length && bytes[at] is var first and < 0x80)
        {
            int length = first + 1;
            return length <= bytes.Length - at ? length : Incomplete;
        }

        return MeasureLong(bytes, at);
    }

    public override int Measure(ReadOnlySpan<byte> bytes, int count)
    {
        int at = 0;
        for (int i = 0; i < count; i++)
        {
            int length = MeasureOne(bytes, at);
            if (length < 0)
            {
                return Incomplete;
            }

            at += length;
        }

        return at;
    }

    public override void Begin(int count, ScratchBytes scratch)
    {
        _scratch = scratch;
        _starts = scratch.Rent((long)count * sizeof(int));
    }

    public override void Take(int pass, ReadOnlySpan<byte> bytes, ReadOnlySpan<int> places)
    {
        Span<int> starts = MemoryMarshal.Cast<byte, int>(_starts.AsSpan());
        Span<byte> sorted = _sorted;
        int at = 0;
        foreach (int place in places)
        {
            int length = MeasureOne(bytes, at);
            if (pass == 0)
            {
                starts[place] = length;
            }
            else
            {
                Copy(bytes.Slice(at, length), sorted.Slice(starts[place], length));
            }

            at += length;
        }
    }

    public override void EndPass(int pass)
    {
        if (pass > 0)
        {
            return;
        }

        int next = 0;
        foreach (ref int start in MemoryMarshal.Cast<byte, int>(_starts.AsSpan()))
        {
            int length = start;
            start = next;
            next += length;
        }

        _sorted = _scratch.Rent(next);
    }

    public override void Write(PieceWriter target) => target.Write(_sorted);

    private static int MeasureLong(ReadOnlySpan<byte> bytes, int at)
    {
        ulong length = 0;
        for (int shift = 0; shift < 32; shift += 7)
        {
            if (at + (shift / 7) >= bytes.Length)
            {
                return Incomplete;
            }

            byte current = bytes[at + (shift / 7)];
            length |= (ulong)(current & 0x7f) << shift;
            if (current < 0x80)
            {
                int number = (shift / 7) + 1;
                return length <= (ulong)(bytes.Length - at - number) ? number + (int)length : Incomplete;
            }
        }

        throw new InvalidDataException("a text's length does not end");
    }

    // Most are short: two words that may lie over each other are quicker than a call.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Copy(ReadOnlySpan<byte> text, Span<byte> target)
    {
        ref byte from = ref MemoryMarshal.GetReference(text);
        ref byte to = ref MemoryMarshal.GetReference(target);
        int length = text.Length;
        if (length == 1)
        {
            to = from;
        }
        else if (length is >= 8 and <= 16)
        {
            ulong last = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref from, length - 8));
            Unsafe.WriteUnaligned(ref to, Unsafe.ReadUnaligned<ulong>(ref from));
            Unsafe.WriteUnaligned(ref Unsafe.Add(ref to, length - 8), last);
        }
        else
        {
            text.CopyTo(target);
        }
    }
}
