using System.Runtime.InteropServices;

namespace Ingest.Stores.Sorting;

/// <summary>Numbers of one width.</summary>
internal sealed class SortedNumbers(int width) : SortedValues
{
    private ArraySegment<byte> _sorted;

    public override int Passes => 1;

    public override int Measure(ReadOnlySpan<byte> bytes, int count) =>
        (long)count * width <= bytes.Length ? count * width : Incomplete;

    public override void Begin(int count, ScratchBytes scratch) => _sorted = scratch.Rent((long)count * width);

    public override void Take(int pass, ReadOnlySpan<byte> bytes, ReadOnlySpan<int> places)
    {
        switch (width)
        {
            case 1:
                Place(bytes, places, _sorted.AsSpan());
                break;
            case 2:
                Place<ushort>(bytes, places, _sorted.AsSpan());
                break;
            case 4:
                Place<uint>(bytes, places, _sorted.AsSpan());
                break;
            default:
                Place<ulong>(bytes, places, _sorted.AsSpan());
                break;
        }
    }

    public override void Write(PieceWriter target) => target.Write(_sorted);

    private static void Place<T>(ReadOnlySpan<byte> bytes, ReadOnlySpan<int> places, Span<byte> sorted)
        where T : unmanaged => Place(MemoryMarshal.Cast<byte, T>(bytes), places, MemoryMarshal.Cast<byte, T>(sorted));

    private static void Place<T>(ReadOnlySpan<T> values, ReadOnlySpan<int> places, Span<T> sorted)
    {
        values = values[..places.Length];
        for (int i = 0; i < values.Length; i++)
        {
            sorted[places[i]] = values[i];
        }
    }
}
