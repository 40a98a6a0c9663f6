using Ingest.Columns;

namespace Ingest.Stores.Sorting;

/// <summary>The values of one column of a segment's blocks, put one by one where they belong in the sorted column.</summary>
/// <remarks>
/// <para>
/// Values are read in the order of the log and written where they go. A segment of a million rows has some thousand
/// keys, so what is written lies in as many runs, whose ends stay in the processor's cache; to read in the order of the
/// keys would miss it for almost every value.
/// </para>
/// <para>
/// <see cref="Take"/> is called for each pass, and in each for every block in order; where a value has no fixed length
/// the first pass finds the lengths. The bytes come from a file: every place is checked before it is used. Run by the
/// store's insert thread; 0 bytes are allocated a row; watched by <c>bench/Engine</c>.
/// </para>
/// </remarks>
internal abstract class SortedValues
{
    /// <summary>What <see cref="Measure"/> answers when the bytes end before the values do.</summary>
    public const int Incomplete = -1;

    /// <summary>How often the column has to be gone through.</summary>
    public abstract int Passes { get; }

    /// <summary>Bytes that stand before the values of a block's column.</summary>
    public virtual int PrefixBytes => 0;

    /// <summary>Makes what sorts values of a type.</summary>
    /// <exception cref="InvalidDataException">Blocks of the log have no such type.</exception>
    public static SortedValues Of(string type)
    {
        if (BlockValues.TryInside(type, "LowCardinality(", out string? inside))
        {
            return BlockValues.TryInside(inside, "Nullable(", out string? value)
                ? new SortedDictionaryValues(Of(value), nullable: true)
                : new SortedDictionaryValues(Of(inside), nullable: false);
        }

        if (BlockValues.TryInside(type, "Nullable(", out inside))
        {
            return new SortedNullables(Of(inside));
        }

        if (BlockValues.TryInside(type, "Array(", out inside))
        {
            return new SortedLists(Of(inside), null);
        }

        if (BlockValues.TryInside(type, "Map(", out inside))
        {
            int comma = BlockValues.TopLevelComma(inside);
            return new SortedLists(Of(inside[..comma]), Of(inside[(comma + 1)..].Trim()));
        }

        return type == "String" ? new SortedTexts() : new SortedNumbers(BlockValues.WidthOf(type));
    }

    /// <summary>Bytes that so many values take at the beginning of the bytes, or <see cref="Incomplete"/>.</summary>
    /// <exception cref="InvalidDataException">These are no such values.</exception>
    public abstract int Measure(ReadOnlySpan<byte> bytes, int count);

    /// <summary>Begins a column of so many values in all.</summary>
    public abstract void Begin(int count, ScratchBytes scratch);

    /// <summary>Takes the values of a block.</summary>
    /// <param name="pass">The pass, from 0.</param>
    /// <param name="bytes">The values.</param>
    /// <param name="places">Where each goes; as many as there are values.</param>
    public abstract void Take(int pass, ReadOnlySpan<byte> bytes, ReadOnlySpan<int> places);

    /// <summary>Ends a pass, when all blocks were taken.</summary>
    public virtual void EndPass(int pass)
    {
    }

    /// <summary>Checks what stands before the values of a block's column.</summary>
    /// <exception cref="InvalidDataException">It is of another kind.</exception>
    public virtual void CheckPrefix(ReadOnlySpan<byte> bytes)
    {
    }

    /// <summary>Writes what stands before the values.</summary>
    public virtual void WritePrefix(PieceWriter target)
    {
    }

    /// <summary>Writes the values in their new order.</summary>
    public abstract void Write(PieceWriter target);
}
