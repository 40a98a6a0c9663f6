namespace Ingest.Stores.Sorting;

/// <summary>Values that may be NULL: a byte each that says so, then the values.</summary>
internal sealed class SortedNullables(SortedValues values) : SortedValues
{
    private readonly SortedNumbers _nulls = new(1);

    public override int Passes => values.Passes;

    public override int Measure(ReadOnlySpan<byte> bytes, int count)
    {
        if (count > bytes.Length)
        {
            return Incomplete;
        }

        int length = values.Measure(bytes[count..], count);
        return length < 0 ? Incomplete : count + length;
    }

    public override void Begin(int count, ScratchBytes scratch)
    {
        _nulls.Begin(count, scratch);
        values.Begin(count, scratch);
    }

    public override void Take(int pass, ReadOnlySpan<byte> bytes, ReadOnlySpan<int> places)
    {
        if (pass == 0)
        {
            _nulls.Take(pass, bytes[..places.Length], places);
        }

        values.Take(pass, bytes[places.Length..], places);
    }

    public override void EndPass(int pass) => values.EndPass(pass);

    public override void Write(PieceWriter target)
    {
        _nulls.Write(target);
        values.Write(target);
    }
}
