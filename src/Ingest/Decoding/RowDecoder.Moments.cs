using System.Runtime.CompilerServices;
using Ingest.Columns;

namespace Ingest.Decoding;

// Timestamps and durations.
public sealed partial class RowDecoder
{
    private static int ReadMoment(
        FieldPlan field, ref byte source, int at, int end, Batch batch, Column column, int row, bool again, int depth)
    {
        // Twice in one row is merged, as any message.
        (long seconds, int nanos) = again ? batch.Moments[field.Column] : default;
        at = ReadSecondsAndNanos(ref source, at, end, depth, ref seconds, ref nanos);
        batch.Moments[field.Column] = (seconds, nanos);
        Unsafe.WriteUnaligned(ref Unsafe.As<FixedColumn>(column).Slot(row), Micros(seconds, nanos));
        return at;
    }

    private static int ReadSecondsAndNanos(
        ref byte source, int at, int end, int depth, ref long seconds, ref int nanos)
    {
        const uint secondsTag = (1 << 3) | Wire.Varint;
        const uint nanosTag = (2 << 3) | Wire.Varint;
        at = Wire.ReadLength(ref source, at, end, out int length);
        if (at < 0 || depth >= Wire.MaxDepth)
        {
            return Wire.Malformed;
        }

        int last = at + length;
        while (at < last)
        {
            at = Wire.ReadTag(ref source, at, last, out uint tag);
            if (at < 0)
            {
                return Wire.Malformed;
            }

            ulong number;
            switch (tag)
            {
                case secondsTag:
                    at = Wire.ReadVarint(ref source, at, last, out number);
                    seconds = (long)number;
                    break;
                case nanosTag:
                    at = Wire.ReadVarint(ref source, at, last, out number);
                    nanos = (int)number;
                    break;
                default:
                    at = Wire.Skip(ref source, at, last, tag, depth + 1);
                    break;
            }

            if (at < 0)
            {
                return Wire.Malformed;
            }
        }

        return at;
    }

    private static long Micros(long seconds, int nanos) => unchecked((seconds * 1_000_000) + (nanos / 1000));
}
