using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Ingest.Decoding;

namespace Ingest.Topics.Filters;

/// <summary>
/// A condition on a field by its path. A field that is not there is its default where proto3 has one; what lies in a
/// message that is not there satisfies nothing.
/// </summary>
/// <param name="path">The way to the field.</param>
/// <param name="wireType">Wire type of one value.</param>
/// <param name="test">The condition on the value.</param>
/// <param name="matchesAbsent">Whether the default satisfies it; false when there is none.</param>
internal sealed class FieldCondition(FieldStep[] path, uint wireType, ValueTest test, bool matchesAbsent) : FilterNode
{
    public override bool Matches(ReadOnlySpan<byte> payload) => Walk(payload, 0);

    private bool Walk(ReadOnlySpan<byte> message, int depth)
    {
        FieldStep step = path[depth];
        bool isLast = depth == path.Length - 1;
        bool isThere = false;
        var fields = new WireFields(message);
        while (fields.Next())
        {
            if (fields.Number != step.Number)
            {
                continue;
            }

            isThere = true;
            bool isMatch = !isLast ? fields.WireType == Wire.Len && Walk(fields.Bytes, depth + 1)
                : fields.WireType == wireType ? test.Matches(fields.Bits, fields.Bytes)
                : fields.WireType == Wire.Len && MatchesPacked(fields.Bytes);
            if (isMatch)
            {
                return true;
            }
        }

        return isLast && !isThere && matchesAbsent;
    }

    private bool MatchesPacked(ReadOnlySpan<byte> items)
    {
        int at = 0;
        while (at < items.Length)
        {
            ulong bits;
            switch (wireType)
            {
                case Wire.I64 when items.Length - at >= sizeof(ulong):
                    bits = BinaryPrimitives.ReadUInt64LittleEndian(items[at..]);
                    at += sizeof(ulong);
                    break;
                case Wire.I32 when items.Length - at >= sizeof(uint):
                    bits = BinaryPrimitives.ReadUInt32LittleEndian(items[at..]);
                    at += sizeof(uint);
                    break;
                case Wire.Varint:
                    at = Wire.ReadVarint(ref MemoryMarshal.GetReference(items), at, items.Length, out bits);
                    break;
                default:
                    return false;
            }

            if (at < 0)
            {
                return false;
            }

            if (test.Matches(bits, default))
            {
                return true;
            }
        }

        return false;
    }
}
