using System.Text;

namespace Ingest.Columns;

/// <summary>
/// A column of a batch: values in the very bytes that ClickHouse's Native format wants, so that encoding a block is
/// naming memory.
/// </summary>
/// <remarks>
/// Owned by its batch and, through it, by one thread at a time. The decoder writes values through the sealed types;
/// what is virtual here runs once a block, or once a row for fields that a row does not have.
/// </remarks>
internal abstract class Column
{
    /// <summary>Grows so that the row can be written.</summary>
    public abstract void EnsureRow(int row);

    /// <summary>Writes the value of a row that does not have the field.</summary>
    public abstract void WriteDefault(int row);

    /// <summary>Writes the values of rows that do not have the field.</summary>
    public virtual void WriteDefaults(int row, int count)
    {
        for (int end = row + count; row < end; row++)
        {
            WriteDefault(row);
        }
    }

    /// <summary>Forgets what was written for the row that is being decoded.</summary>
    public abstract void Rewind(int row);

    /// <summary>Forgets the rows from <paramref name="rows"/> on, of <paramref name="count"/>.</summary>
    public abstract void Truncate(int rows, int count);

    /// <summary>Takes rows out from among <paramref name="rows"/> and moves those that follow.</summary>
    public abstract void RemoveRows(int first, int count, int rows);

    /// <summary>What <see cref="RewindItems"/> needs to know of the place that a list's items have reached.</summary>
    public virtual int Mark => 0;

    /// <summary>
    /// Forgets the items of a list from <paramref name="item"/> on; the column was at <paramref name="mark"/>.
    /// </summary>
    public virtual void RewindItems(int item, int mark)
    {
    }

    /// <summary>Adds the prefix that Native writes before a column's data: versions of dictionaries.</summary>
    public virtual void EncodePrefix(BlockBuilder block)
    {
    }

    /// <summary>Adds the data of the first <paramref name="rows"/> rows.</summary>
    public abstract void Encode(BlockBuilder block, int rows);

    /// <summary>Forgets all rows and keeps the memory, up to a bound.</summary>
    public abstract void Reset(int rows);

    /// <summary>Bytes that the rows take in a block, about.</summary>
    public abstract long EncodedBytes(int rows);

    /// <summary>Bytes of memory held.</summary>
    public abstract long HeldBytes { get; }

    /// <summary>The bytes of name and type that open a column in a block.</summary>
    public static byte[] Header(string name, string type)
    {
        var header = new List<byte>();
        Span<byte> length = stackalloc byte[NativeFormat.MaxVarintBytes];
        foreach (string text in new[] { name, type })
        {
            byte[] bytes = Encoding.UTF8.GetBytes(text);
            header.AddRange(length[..NativeFormat.WriteVarint(length, (ulong)bytes.Length)]);
            header.AddRange(bytes);
        }

        return [.. header];
    }
}
