using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Ingest.Columns;

/// <summary>A column of LowCardinality strings: a dictionary for the block and an index for each row.</summary>
/// <remarks>Hot. Indexes are kept in 32 bits and narrowed when the block is encoded.</remarks>
internal sealed partial class LowCardinalityColumn : Column
{
    private readonly KeyDictionary _dictionary;
    private readonly EnumNames? _names;
    private readonly int[] _keysOfNames;
    private int[] _indexes = [];
    private byte[] _narrowed = [];

    /// <summary>Makes a column; with <paramref name="names"/> one of an enum.</summary>
    public LowCardinalityColumn(bool nullable, EnumNames? names = null)
    {
        _dictionary = new KeyDictionary(nullable);
        _names = names;
        _keysOfNames = new int[names?.CachedNumbers ?? 0];
        IsNullable = nullable;
        Array.Fill(_keysOfNames, -1);
    }

    public bool IsNullable { get; }

    /// <summary>The strings of the keys.</summary>
    public KeyDictionary Dictionary => _dictionary;

    /// <summary>The keys of the first rows.</summary>
    public ReadOnlySpan<int> Indexes(int rows) => _indexes.AsSpan(0, rows);

    /// <summary>Length in bytes of the value written last.</summary>
    public int LastLength { get; private set; }

    /// <summary>Writes a value; false, and nothing written, when it has to be UTF-8 and is not.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryWrite(int row, ReadOnlySpan<byte> value, bool validate)
    {
        LastLength = value.Length;
        int key = _dictionary.KeyOf(value, row, validate);
        _indexes[row] = key;
        return key >= 0;
    }

    /// <summary>Writes a value by its key in the dictionary as it is now.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void WriteKey(int row, int key) => _indexes[row] = key;

    /// <summary>Writes the name of an enum's number, or the number in decimals where the schema has no name.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void WriteEnum(int row, int number)
    {
        int[] keys = _keysOfNames;
        int key = (uint)number < (uint)keys.Length ? keys[number] : -1;
        _indexes[row] = key >= 0 ? key : KeyOfNumber(row, number);
    }

    /// <summary>Whether the row has the enum's number 0.</summary>
    public bool IsZero(int row) => _keysOfNames.Length > 0 && _indexes[row] == _keysOfNames[0];

    /// <summary>Writes one value to a run of rows.</summary>
    public void WriteRun(int row, int count, ReadOnlySpan<byte> value)
    {
        EnsureRow(row + count - 1);
        _indexes.AsSpan(row, count).Fill(_dictionary.KeyOf(value, row));
    }

    public override void EnsureRow(int row)
    {
        if (row >= _indexes.Length)
        {
            ColumnMemory.Grow(ref _indexes, row + 1, Batch.RowsAtFirst);
        }
    }

    public override void WriteDefault(int row)
    {
        if (IsNullable)
        {
            _indexes[row] = 0;
        }
        else if (_names is not null)
        {
            WriteEnum(row, 0);
        }
        else
        {
            TryWrite(row, [], validate: false);
        }
    }

    public override void WriteDefaults(int row, int count)
    {
        if (count > 0)
        {
            WriteDefault(row);
            _indexes.AsSpan(row, count).Fill(_indexes[row]);
        }
    }

    // Keys that only forgotten rows had would grow the dictionary at a sender's will.
    public override void Rewind(int row)
    {
        if (!_dictionary.Forget(row))
        {
            return;
        }

        foreach (ref int key in _keysOfNames.AsSpan())
        {
            key = key < _dictionary.Count ? key : -1;
        }
    }

    public override void RewindItems(int item, int mark) => Rewind(item);

    public override void Truncate(int rows, int count) => Rewind(rows);

    // A key that no row has any more stays in the dictionary of the block; ClickHouse does not mind.
    public override void RemoveRows(int first, int count, int rows) =>
        ColumnMemory.Remove(_indexes, first, count, rows);

    public override void EncodePrefix(BlockBuilder block) =>
        block.AddUInt64(NativeFormat.SharedDictionariesWithAdditionalKeys);

    public override void Encode(BlockBuilder block, int rows)
    {
        // Native leaves an empty column's body out: arrays without items.
        if (rows == 0)
        {
            return;
        }

        (ulong type, int width) = _dictionary.Count switch
        {
            <= 1 << 8 => (NativeFormat.IndexUInt8, 1),
            <= 1 << 16 => (NativeFormat.IndexUInt16, 2),
            _ => (NativeFormat.IndexUInt32, 4),
        };
        block.AddUInt64(type | NativeFormat.HasAdditionalKeys);
        _dictionary.Encode(block);
        block.AddUInt64((ulong)rows);
        Narrow(rows, width);
        block.Add(_narrowed.AsMemory(0, rows * width));
    }

    public override void Reset(int rows)
    {
        _dictionary.Reset();
        Array.Fill(_keysOfNames, -1);
        ColumnMemory.Shrink(ref _indexes, Batch.ItemsKept);
        ColumnMemory.Shrink(ref _narrowed, Batch.ItemsKept * sizeof(ushort));
    }

    public override long EncodedBytes(int rows) =>
        _dictionary.EncodedBytes + (rows * (_dictionary.Count > 256 ? 2L : 1));

    public override long HeldBytes => (_indexes.Length * sizeof(int)) + _narrowed.Length + _dictionary.HeldBytes;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private int KeyOfNumber(int row, int number)
    {
        if (_names!.Find(number) is { } name)
        {
            int key = _dictionary.KeyOf(name, row);
            if ((uint)number < (uint)_keysOfNames.Length)
            {
                _keysOfNames[number] = key;
            }

            return key;
        }

        Span<byte> text = stackalloc byte[11];
        number.TryFormat(text, out int length, default, CultureInfo.InvariantCulture);
        return _dictionary.KeyOf(text[..length], row);
    }

    private void Narrow(int rows, int width)
    {
        if (_narrowed.Length < rows * width)
        {
            _narrowed = GC.AllocateUninitializedArray<byte>(Math.Max(rows, Batch.RowsAtFirst) * width);
        }

        ReadOnlySpan<int> indexes = _indexes.AsSpan(0, rows);
        switch (width)
        {
            case 1:
                Narrow(indexes, _narrowed.AsSpan(0, rows));
                break;
            case 2:
                Narrow(indexes, MemoryMarshal.Cast<byte, ushort>(_narrowed.AsSpan(0, rows * sizeof(ushort))));
                break;
            default:
                MemoryMarshal.AsBytes(indexes).CopyTo(_narrowed);
                break;
        }
    }
}
