namespace Ingest.Columns;

/// <summary>A column with NULLs: a byte a row that says so, and the values.</summary>
internal sealed class NullableColumn(Column values) : Column
{
    private byte[] _nulls = [];

    public Column Values => values;

    public override void EnsureRow(int row)
    {
        if (row >= _nulls.Length)
        {
            ColumnMemory.Grow(ref _nulls, row + 1, Batch.RowsAtFirst);
        }

        values.EnsureRow(row);
    }

    /// <summary>Says that the row has a value.</summary>
    public void MarkPresent(int row) => _nulls[row] = 0;

    public bool IsNull(int row) => _nulls[row] != 0;

    public override void WriteDefault(int row)
    {
        _nulls[row] = 1;
        values.WriteDefault(row);
    }

    public override void Rewind(int row) => values.Rewind(row);

    public override void Truncate(int rows, int count) => values.Truncate(rows, count);

    public override void RemoveRows(int first, int count, int rows)
    {
        ColumnMemory.Remove(_nulls, first, count, rows);
        values.RemoveRows(first, count, rows);
    }

    public override void EncodePrefix(BlockBuilder block) => values.EncodePrefix(block);

    public override void Encode(BlockBuilder block, int rows)
    {
        block.Add(_nulls.AsMemory(0, rows));
        values.Encode(block, rows);
    }

    public override void Reset(int rows)
    {
        ColumnMemory.Shrink(ref _nulls, Batch.RowsKept);
        values.Reset(rows);
    }

    public override long EncodedBytes(int rows) => rows + values.EncodedBytes(rows);

    public override long HeldBytes => _nulls.Length + values.HeldBytes;
}
