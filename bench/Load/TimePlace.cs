using System.Buffers.Binary;

namespace Ingest.Load;

/// <summary>Where a time stands in a message's bytes.</summary>
/// <param name="At">Its first byte.</param>
/// <param name="Length">Its bytes.</param>
/// <param name="Value">The time that the message was made with: seconds as a varint, or microseconds as a fixed64.</param>
/// <param name="IsVarint">Which of the two.</param>
internal readonly record struct TimePlace(int At, int Length, long Value, bool IsVarint)
{
    private const long MicrosPerSecond = 1_000_000;

    /// <summary>Writes the time, so many seconds later.</summary>
    public void Write(Span<byte> target, long later)
    {
        if (IsVarint)
        {
            PointMessages.WriteVarint(target, Value + later);
        }
        else
        {
            BinaryPrimitives.WriteInt64LittleEndian(target, Value + (later * MicrosPerSecond));
        }
    }
}
