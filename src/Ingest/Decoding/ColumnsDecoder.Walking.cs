using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Ingest.Decoding;

// Over the bytes of a columns message: where its fields lie.
public sealed partial class ColumnsDecoder
{
    private bool Walk(ReadOnlySpan<byte> request, List<(int Start, int Length)> pieces, ColumnsScratch scratch)
    {
        ref byte source = ref MemoryMarshal.GetReference(request);
        foreach ((int start, int length) in pieces)
        {
            if (!Walk(_root, ref source, start, start + length, depth: 1, scratch))
            {
                return false;
            }
        }

        return true;
    }

    private static bool Walk(
        TagTable<ColumnsStep> plan, ref byte source, int at, int end, int depth, ColumnsScratch scratch)
    {
        while (at < end)
        {
            int begin = at;
            at = Wire.ReadTag(ref source, at, end, out uint tag);
            if (at < 0)
            {
                return false;
            }

            ColumnsStep? step = plan.Find(tag);
            if (step is null)
            {
                at = Wire.Skip(ref source, at, end, tag, depth);
            }
            else if (step.Op == ColumnsOp.Item)
            {
                at = WalkItems(step.Slot, (byte)tag, ref source, begin, at, end, scratch);
            }
            else
            {
                at = Take(step, ref source, at, end, tag, depth, scratch);
            }

            if (at < 0)
            {
                return false;
            }
        }

        return true;
    }

    // Items follow each other: the tag, a byte as fields go, is not looked up again.
    private static int WalkItems(
        int slot, byte tag, ref byte source, int begin, int at, int end, ColumnsScratch scratch)
    {
        scratch.BeginItems(slot, begin);
        bool isByte = at == begin + 1;
        while (true)
        {
            if (isByte)
            {
                at = scratch.AddShortItems(slot, tag, ref source, at, end);
            }

            at = Wire.ReadLength(ref source, at, end, out int length);
            if (at < 0)
            {
                return Wire.Malformed;
            }

            scratch.AddItem(slot, ref source, at, length);
            at += length;
            if (!isByte || at == end || Unsafe.Add(ref source, at) != tag)
            {
                return at;
            }

            at++;
        }
    }

    private static int Take(
        ColumnsStep step, ref byte source, int at, int end, uint tag, int depth, ColumnsScratch scratch)
    {
        int length;
        switch (step.Op)
        {
            case ColumnsOp.Message:
                at = Wire.ReadLength(ref source, at, end, out length);
                if (at < 0)
                {
                    return Wire.Malformed;
                }

                if (step.Slot >= 0)
                {
                    scratch.AddMessage(step.Slot);
                }

                return Walk(step.Nested!, ref source, at, at + length, depth + 1, scratch)
                    ? at + length
                    : Wire.Malformed;

            case ColumnsOp.Packed:
                at = Wire.ReadLength(ref source, at, end, out length);
                if (at < 0 || !IsWhole(MemoryMarshal.CreateReadOnlySpan(
                    ref Unsafe.Add(ref source, at), length), step.Width))
                {
                    return Wire.Malformed;
                }

                if (length > 0)
                {
                    scratch.AddNumbers(step.Slot, ref source, at, length, isPacked: true);
                }

                return at + length;

            case ColumnsOp.Single:
                int after = Wire.Skip(ref source, at, end, tag, depth);
                if (after >= 0)
                {
                    scratch.AddNumbers(step.Slot, ref source, at, after - at, isPacked: false);
                }

                return after;

            case ColumnsOp.Fixed64:
                if (end - at < sizeof(ulong))
                {
                    return Wire.Malformed;
                }

                scratch.SetFixed64(step.Slot, ref source, at);
                return at + sizeof(ulong);

            default:
                at = Wire.ReadVarint(ref source, at, end, out ulong rows);
                scratch.RowCount = (uint)rows;
                return at;
        }
    }

    // The last number does not go on behind the end.
    private static bool IsWhole(ReadOnlySpan<byte> packed, int width) =>
        width > 0 ? packed.Length % width == 0 : packed.IsEmpty || packed[^1] < 0x80;
}
