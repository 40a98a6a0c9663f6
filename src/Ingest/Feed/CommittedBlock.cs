using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Google.Protobuf;
using Ingest.Columns;
using Ingest.Decoding;
using Ingest.Schema;

namespace Ingest.Feed;

/// <summary>
/// Durable rows of one table, as spans over the columns that they were decoded into: nothing is copied. Whoever keeps a
/// block holds a reference; the batch goes back to its pool with the last one.
/// </summary>
/// <remarks>
/// Read by any number of threads; the rows do not change any more. Columns are named as in the store. A name that the
/// table does not have, or a type that is not the column's, is an <see cref="ArgumentException"/>; a caller asks once a
/// block, not once a row.
/// </remarks>
public sealed class CommittedBlock
{
    private readonly Batch _batch;
    private readonly Action<Batch>? _recycle;
    private readonly Lock _gate = new();
    private int[]?[]? _ends; // Of columns of texts without dictionary, where each row's text ends.
    private BlockContent? _content;
    private RowEncoder? _encoder;
    private int _references = 1;

    internal CommittedBlock(Batch batch, BlockPlace first, DateTimeOffset receivedAt, Action<Batch>? recycle)
    {
        _batch = batch;
        _recycle = recycle;
        First = first;
        ReceivedAt = receivedAt;
        HeldBytes = batch.HeldBytes;
    }

    /// <summary>The table, in the version that the rows are of.</summary>
    public TableSchema Table => _batch.Table;

    /// <summary>Rows in it; at least one.</summary>
    public int RowCount => _batch.RowCount;

    /// <summary>Place of its first row.</summary>
    public BlockPlace First { get; }

    /// <summary>Place after its last row.</summary>
    public BlockPlace End => First with { Row = First.Row + RowCount };

    /// <summary>When the first of its rows came; of a block that was read back, when its segment was opened.</summary>
    public DateTimeOffset ReceivedAt { get; }

    /// <summary>Bytes of memory that the block holds.</summary>
    public long HeldBytes { get; }

    /// <summary>Whether the block was read back from the log or the store after a restart.</summary>
    public bool IsReplayed => _recycle is null;

    /// <summary>Place of a row.</summary>
    public BlockPlace PlaceOf(int row) => First with { Row = First.Row + row };

    /// <summary>Keeps the block until one more <see cref="Release"/>. To be called while a reference is held.</summary>
    public void AddReference() => Interlocked.Increment(ref _references);

    /// <summary>Gives a reference back. Spans over the block's columns are not to be used after it.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref _references) > 0)
        {
            return;
        }

        if (_ends is { } all)
        {
            _ends = null;
            foreach (int[]? ends in all)
            {
                if (ends is not null)
                {
                    ArrayPool<int>.Shared.Return(ends);
                }
            }
        }

        _recycle?.Invoke(_batch);
    }

    /// <summary>Whether the table has a column of that name.</summary>
    public bool Has(string column) => TryIndexOf(column, out _);

    /// <summary>
    /// The values of a column of numbers, one a row: <c>double</c> of Float64, <c>float</c> of Float32, <c>long</c> of
    /// Int64, <c>bool</c> of Bool and so on. Of DateTime64 and of durations they are microseconds, as <c>long</c>; those
    /// of DateTime64 count from 1970.
    /// </summary>
    public ReadOnlySpan<T> Numbers<T>(string column)
        where T : unmanaged
    {
        Column values = Find(column);
        if (values is NullableColumn nullable)
        {
            values = nullable.Values;
        }

        if (values is FixedColumn numbers && numbers.Width == Unsafe.SizeOf<T>() && Fits<T>(TypeOf(column)))
        {
            return MemoryMarshal.Cast<byte, T>(numbers.Values(0, RowCount));
        }

        throw new ArgumentException($"{Table.Name}.{column} is a {TypeOf(column)}, not a column of {typeof(T).Name}");
    }

    /// <summary>The texts of a column of String or LowCardinality(String), enums included.</summary>
    public BlockTexts Texts(string column) => Find(column) switch
    {
        LowCardinalityColumn keys => new BlockTexts(keys.Indexes(RowCount), keys.Dictionary),
        StringColumn texts => new BlockTexts(texts.Bytes, EndsOf(IndexOf(column), texts)),
        NullableColumn { Values: StringColumn texts } => new BlockTexts(texts.Bytes, EndsOf(IndexOf(column), texts)),
        _ => throw new ArgumentException($"{Table.Name}.{column} is a {TypeOf(column)}, not a column of texts"),
    };

    /// <summary>Whether a row has no value in an optional column; never in any other.</summary>
    public bool IsNull(string column, int row) => Find(column) switch
    {
        NullableColumn nullable => nullable.IsNull(row),
        LowCardinalityColumn { IsNullable: true } keys => keys.Indexes(RowCount)[row] == 0,
        _ => false,
    };

    /// <summary>
    /// A row as its message. What the columns do not have is lost, as in a dead letter: parts of a microsecond, which
    /// values of a Struct were numbers. Allocates; for tables with some thousand rows a second, not for points.
    /// </summary>
    public T Message<T>(int row)
        where T : class, IMessage<T>, new()
    {
        var message = new T();
        if (message.Descriptor.FullName != Table.Message.FullName)
        {
            throw new ArgumentException($"a row of {Table.Name} is a {Table.Message.FullName}, no {message.Descriptor.FullName}");
        }

        message.MergeFrom(Serialized(row));
        return message;
    }

    private byte[] Serialized(int row)
    {
        lock (_gate)
        {
            // The batch encodes in memory of its own, for one at a time.
            _encoder ??= new RowEncoder(Table);
            _content ??= BlockContent.Read(Encoded());
            return _encoder.Encode(_content, row, withDefaults: false)
                ?? throw new InvalidDataException($"no message can be made of row {PlaceOf(row)} of {Table.Name}");
        }
    }

    private byte[] Encoded()
    {
        var parts = new List<ReadOnlyMemory<byte>>();
        byte[] block = new byte[_batch.Encode(First.SegmentId, parts, First.Row)];
        int at = 0;
        foreach (ReadOnlyMemory<byte> part in parts)
        {
            part.Span.CopyTo(block.AsSpan(at));
            at += part.Length;
        }

        return block;
    }

    private ReadOnlySpan<int> EndsOf(int column, StringColumn texts)
    {
        if (Volatile.Read(ref _ends) is not { } all || Volatile.Read(ref all[column]) is not { } ends)
        {
            lock (_gate)
            {
                all = _ends ??= new int[]?[_batch.Columns.Length];
                ends = all[column];
                if (ends is null)
                {
                    ends = ArrayPool<int>.Shared.Rent(RowCount);
                    texts.CopyEnds(ends.AsSpan(0, RowCount));
                    Volatile.Write(ref all[column], ends);
                }
            }
        }

        return ends.AsSpan(0, RowCount);
    }

    private Column Find(string column) => _batch.Columns[IndexOf(column)];

    private string TypeOf(string column) => Table.Columns[IndexOf(column)].Type;

    private int IndexOf(string column) => TryIndexOf(column, out int index)
        ? index
        : throw new ArgumentException($"the table {Table.Name} has no column {column}");

    private bool TryIndexOf(string column, out int index)
    {
        IReadOnlyList<ColumnSchema> columns = Table.Columns;
        for (index = 0; index < _batch.Columns.Length; index++)
        {
            if (columns[index].Name == column)
            {
                return true;
            }
        }

        return false;
    }

    private static bool Fits<T>(string type)
    {
        int inside = type.StartsWith("Nullable(", StringComparison.Ordinal) ? "Nullable(".Length : 0;
        ReadOnlySpan<char> name = type.AsSpan(inside).TrimEnd(')');
        return name switch
        {
            "Float64" => typeof(T) == typeof(double),
            "Float32" => typeof(T) == typeof(float),
            "Int32" => typeof(T) == typeof(int),
            "UInt32" => typeof(T) == typeof(uint),
            "Int64" => typeof(T) == typeof(long),
            "UInt64" => typeof(T) == typeof(ulong),
            "Bool" => typeof(T) == typeof(bool),
            _ => name.StartsWith("DateTime64(") && typeof(T) == typeof(long),
        };
    }
}
