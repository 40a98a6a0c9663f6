using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Ingest.Decoding;
using Ingest.Schema;

namespace Ingest.Columns;

/// <summary>Columns of rows of one table, and who sent the rows.</summary>
/// <remarks>
/// One owner at a time: the stream that decodes a message into it, then the lane that writes it, then the pool.
/// Nothing here locks. 0 bytes are allocated a row in steady state; watched by DecodeBenchmarks.
/// </remarks>
public sealed class Batch
{
    internal const int RowsAtFirst = 256;

    // A batch closes at 8,192 rows after the message that takes it there; what one huge message blew up is let go.
    internal const int RowsKept = 32 * 1024;

    // Of lists and maps: eight items a row.
    internal const int ItemsKept = 8 * RowsKept;

    /// <summary>Longest id of a producer in UTF-8 bytes.</summary>
    public const int MaxProducerIdBytes = 256;

    private readonly Column[] _columns;
    private readonly byte[][] _headers;
    private readonly LowCardinalityColumn _producers = new(nullable: false);
    private readonly List<BatchEntry> _entries = [];
    private byte[] _segmentIndexes = [];
    private byte[] _segmentRows = [];
    private BlockBuilder? _block;
    private int _capacity;
    private RowScratch? _scratch;
    private ColumnsScratch? _columnsScratch;

    /// <summary>Makes an empty batch of a table.</summary>
    public Batch(TableSchema table)
    {
        Table = table;
        _columns = [.. Leaves(table.Fields).OrderBy(f => f.Column).Select(ColumnFactory.Create)];
        _headers = [.. table.Columns.Where(c => c.IsInserted).Select(c => Column.Header(c.Name, c.NativeType))];
        Debug.Assert(
            _headers.Length == _columns.Length + table.SystemColumnCount,
            "the rows' numbers, the producer and the segment come last");
        Seen = new ulong[(PresenceBits.Count(table.Fields) + 63) / 64];
        Moments = new (long, int)[_columns.Length];
    }

    /// <summary>The table of its rows.</summary>
    public TableSchema Table { get; }

    /// <summary>Rows in it.</summary>
    public int RowCount { get; private set; }

    /// <summary>Bytes that a block of its rows takes, about.</summary>
    public long ByteCount
    {
        get
        {
            long bytes = SystemRowBytes * RowCount;
            foreach (Column column in _columns)
            {
                bytes += column.EncodedBytes(RowCount);
            }

            return bytes;
        }
    }

    /// <summary>Bytes of the requests that its rows came in, as far as entries say.</summary>
    public long RequestBytes { get; private set; }

    /// <summary>Bytes that a row without any content takes in a block, about.</summary>
    public long EmptyRowBytes => SystemRowBytes + _columns.Sum(column => Math.Max(1, column.EncodedBytes(1)));

    /// <summary>Bytes of memory that it holds.</summary>
    public long HeldBytes
    {
        get
        {
            long bytes = _producers.HeldBytes + _segmentIndexes.Length + _segmentRows.Length
                + (_scratch?.HeldBytes ?? 0) + (_columnsScratch?.HeldBytes ?? 0);
            foreach (Column column in _columns)
            {
                bytes += column.HeldBytes;
            }

            return bytes;
        }
    }

    /// <summary>When its first entry came, as a timestamp of the lane's clock; 0 while it has none.</summary>
    public long OpenedAt { get; set; }

    /// <summary>Who sent the rows, in their order.</summary>
    public ReadOnlySpan<BatchEntry> Entries => CollectionsMarshal.AsSpan(_entries);

    /// <summary>Link of the hand-over queue that the batch is in.</summary>
    internal Batch? Next { get; set; }

    internal Column[] Columns => _columns;

    /// <summary>
    /// Which fields the row that is being decoded has; bits as <see cref="PresenceBits"/> counts them.
    /// </summary>
    internal ulong[] Seen { get; }

    /// <summary>Seconds and nanoseconds of the row's timestamps and durations, by column.</summary>
    internal (long Seconds, int Nanos)[] Moments { get; }

    /// <summary>Rows in sequence that the <see cref="RowProgram"/> has declined.</summary>
    internal int Declined { get; set; }

    /// <summary>The first field of the row whose text is not UTF-8.</summary>
    internal FieldPlan? UnreadableText { get; set; }

    /// <summary>The first list or map of the row with a timestamp or duration that its column cannot hold.</summary>
    internal FieldPlan? ItemOutOfRange { get; set; }

    /// <summary>The first struct of the row with a name that is too long.</summary>
    internal FieldPlan? NameTooLong { get; set; }

    /// <summary>What the row's maps, structs and JSON text are gathered in.</summary>
    internal RowScratch Scratch => _scratch ??= new RowScratch();

    /// <summary>What a message with rows as columns is taken apart in.</summary>
    internal ColumnsScratch ColumnsScratch => _columnsScratch ??= new ColumnsScratch();

    /// <summary>Makes room for one more row and returns its place.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal int BeginRow()
    {
        if (RowCount == _capacity)
        {
            Grow(1);
        }

        return RowCount;
    }

    /// <summary>Makes room for many more rows and returns the place of the first.</summary>
    internal int BeginRows(int count)
    {
        if (_capacity - RowCount < count)
        {
            Grow(count);
        }

        return RowCount;
    }

    /// <summary>Says of all rows that nobody is known to have sent them.</summary>
    internal void ForgetProducers() => _producers.WriteRun(0, RowCount, []);

    /// <summary>Appends a row that has no field.</summary>
    internal void AppendDefaults()
    {
        int row = BeginRow();
        foreach (Column column in _columns)
        {
            column.WriteDefault(row);
        }

        CommitRow();
    }

    /// <summary>Takes the rows that were decoded.</summary>
    internal void CommitRows(int count) => RowCount += count;

    /// <summary>Takes the row that was decoded.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void CommitRow() => RowCount++;

    /// <summary>Forgets the rows from <paramref name="rows"/> on; those of entries stay.</summary>
    internal void Truncate(int rows)
    {
        foreach (Column column in _columns)
        {
            column.Truncate(rows, RowCount);
        }

        RowCount = rows;
    }

    /// <summary>
    /// Says who sent the rows since the last entry. Of a run from one sender, one entry is kept. When it throws, no
    /// entry has changed.
    /// </summary>
    public void AddEntry(in BatchEntry entry)
    {
        RequestBytes += entry.RequestBytes;
        if (entry.RowCount > 0)
        {
            Span<byte> id = stackalloc byte[MaxProducerIdBytes];
            int length = Encoding.UTF8.GetBytes(entry.ProducerId, id);
            _producers.WriteRun(entry.FirstRow, entry.RowCount, id[..length]);
        }

        Span<BatchEntry> entries = CollectionsMarshal.AsSpan(_entries);
        if (entries.Length > 0 && entries[^1].TryExtend(entry, out BatchEntry extended))
        {
            entries[^1] = extended;
            return;
        }

        _entries.Add(entry);
    }

    /// <summary>Takes rows out, which no entry may name any more. Not for the row loop: it moves what follows.</summary>
    internal void RemoveRows(int first, int count)
    {
        if (count == 0)
        {
            return;
        }

        foreach (Column column in _columns)
        {
            column.RemoveRows(first, count, RowCount);
        }

        _producers.RemoveRows(first, count, RowCount);
        RowCount -= count;
    }

    /// <summary>Puts other entries in the place of those from <paramref name="first"/> on; the rows stay.</summary>
    internal void ReplaceEntries(int first, List<BatchEntry> entries)
    {
        _entries.RemoveRange(first, _entries.Count - first);
        _entries.AddRange(entries);
    }

    /// <summary>
    /// Names the bytes of the block in ClickHouse's Native format, revision 0. They are valid until the batch is reset.
    /// </summary>
    /// <param name="segmentId">The segment that the block goes into.</param>
    /// <param name="parts">Takes the pieces in order.</param>
    /// <param name="firstRow">Rows of the segment before this block.</param>
    /// <returns>Length of the block in bytes.</returns>
    public long Encode(ulong segmentId, List<ReadOnlyMemory<byte>> parts, long firstRow = 0)
    {
        BlockBuilder block = _block ??= new BlockBuilder();
        block.Begin(parts);
        block.AddVarint((ulong)_headers.Length);
        block.AddVarint((ulong)RowCount);
        for (int i = 0; i < _columns.Length; i++)
        {
            EncodeColumn(block, _headers[i], _columns[i]);
        }

        if (Table.HasSegmentRows)
        {
            EncodeSegmentRows(block, firstRow);
        }

        EncodeColumn(block, _headers[^2], _producers);
        EncodeSegmentId(block, segmentId);
        block.Complete();
        return block.Length;
    }

    /// <summary>Empties the batch and keeps its memory, up to a bound.</summary>
    public void Reset()
    {
        foreach (Column column in _columns)
        {
            column.Reset(RowCount);
        }

        _producers.Reset(RowCount);
        _scratch?.Trim();
        _columnsScratch?.Trim();
        if (_capacity > RowsKept)
        {
            _segmentIndexes = [];
            _segmentRows = [];
            _capacity = 0;
        }

        _entries.Clear();
        Declined = 0;
        RowCount = 0;
        RequestBytes = 0;
        OpenedAt = 0;
    }

    // The indexes of producer and segment, and the row's number.
    private long SystemRowBytes => Table.HasSegmentRows ? 2 + sizeof(uint) : 2;

    private static IEnumerable<FieldNode> Leaves(IEnumerable<FieldNode> nodes) => nodes.SelectMany(
        node => node.Shape switch
        {
            FieldShape.Flattened => Leaves(node.Children),
            FieldShape.Skipped => [],
            _ => [node],
        });

    private void EncodeColumn(BlockBuilder block, byte[] header, Column column)
    {
        block.Add(header);
        if (RowCount > 0)
        {
            column.EncodePrefix(block);
            column.Encode(block, RowCount);
        }
    }

    private void EncodeSegmentRows(BlockBuilder block, long firstRow)
    {
        int length = RowCount * sizeof(uint);
        if (_segmentRows.Length < length)
        {
            _segmentRows = new byte[Math.Max(length, RowsAtFirst * sizeof(uint))];
        }

        Span<uint> rows = MemoryMarshal.Cast<byte, uint>(_segmentRows.AsSpan(0, length));
        for (int i = 0; i < rows.Length; i++)
        {
            rows[i] = (uint)(firstRow + i);
        }

        block.Add(_headers[_columns.Length]);
        block.Add(_segmentRows.AsMemory(0, length));
    }

    // LowCardinality(UInt64) with the one key, and index 0 for every row.
    private void EncodeSegmentId(BlockBuilder block, ulong segmentId)
    {
        if (_segmentIndexes.Length < RowCount)
        {
            _segmentIndexes = new byte[Math.Max(RowCount, RowsAtFirst)];
        }

        block.Add(_headers[^1]);
        if (RowCount == 0)
        {
            return;
        }

        block.AddUInt64(NativeFormat.SharedDictionariesWithAdditionalKeys);
        block.AddUInt64(NativeFormat.IndexUInt8 | NativeFormat.HasAdditionalKeys);
        block.AddUInt64(1);
        block.AddUInt64(segmentId);
        block.AddUInt64((ulong)RowCount);
        block.Add(_segmentIndexes.AsMemory(0, RowCount));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Grow(int count)
    {
        int capacity = Math.Max(Math.Max(RowsAtFirst, _capacity * 2), RowCount + count);
        foreach (Column column in _columns)
        {
            column.EnsureRow(capacity - 1);
        }

        _capacity = capacity;
    }
}
