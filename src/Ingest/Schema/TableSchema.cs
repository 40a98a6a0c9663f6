using System.Security.Cryptography;
using System.Text;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Ingest.V1;

namespace Ingest.Schema;

/// <summary>A table: what follows from a message with the <c>(ingest.v1.table)</c> option.</summary>
public sealed class TableSchema
{
    /// <summary>Name of the column that says who sent a row.</summary>
    public const string ProducerIdColumn = "producer_id";

    /// <summary>Name of the column that says in which segment a row came.</summary>
    public const string SegmentIdColumn = "segment_id";

    /// <summary>Name of the column that numbers a segment's rows, in tables with a partition of their own.</summary>
    public const string SegmentRowColumn = "segment_row";

    /// <summary>Name of the column that says when a row's segment was opened.</summary>
    public const string ReceivedAtColumn = "received_at";

    private readonly byte[][] _fingerprints;
    private readonly byte[] _content;

    internal TableSchema(
        string name, MessageDescriptor message, IReadOnlyList<ColumnSchema> columns, IReadOnlyList<string> orderBy,
        string partitionBy, int ttlDays, IReadOnlyList<FieldNode>? fields = null)
    {
        Name = name;
        Message = message;
        Columns = columns;
        OrderBy = orderBy;
        PartitionBy = partitionBy;
        TtlDays = ttlDays;
        Fields = fields ?? [];
        HasSegmentRows = columns.Any(c => c.Name == SegmentRowColumn);
        _fingerprints = MessageContent.Fingerprints(message);
        _content = MessageContent.Hash(message);
        BlockFingerprint = SHA256.HashData(Encoding.UTF8.GetBytes(
            string.Concat(columns.Where(c => c.IsInserted).Select(c => $"{c.Name}\0{c.NativeType}\n"))));
    }

    /// <summary>Name of the table.</summary>
    public string Name { get; }

    /// <summary>The message that declares it.</summary>
    public MessageDescriptor Message { get; }

    /// <summary>All columns, in the order of the log's blocks; those with a default come last.</summary>
    public IReadOnlyList<ColumnSchema> Columns { get; }

    /// <summary>Column names of the sort key.</summary>
    public IReadOnlyList<string> OrderBy { get; }

    /// <summary>Partition expression in ClickHouse SQL.</summary>
    public string PartitionBy { get; }

    /// <summary>Days after received_at at which a row is deleted; 0 keeps rows for ever.</summary>
    public int TtlDays { get; }

    /// <summary>SHA-256 of the message's descriptor.</summary>
    public ReadOnlyMemory<byte> Fingerprint => _fingerprints[0];

    /// <summary>
    /// Whether rows are numbered within their segment: the table has a partition of its own, so an INSERT may land in
    /// part.
    /// </summary>
    public bool HasSegmentRows { get; }

    /// <summary>Columns of the log's blocks that no field is behind: producer, segment, and the row's number in it.</summary>
    internal int SystemColumnCount => HasSegmentRows ? 3 : 2;

    /// <summary>Versions of the table before this one, the oldest first; rows of them may be in the log.</summary>
    internal IReadOnlyList<TableSchema> Earlier { get; init; } = [];

    /// <summary>SHA-256 of the names and types of the log's blocks: says which version wrote a segment.</summary>
    internal ReadOnlyMemory<byte> BlockFingerprint { get; }

    internal IReadOnlyList<FieldNode> Fields { get; }

    /// <summary>Makes the table that a message declares.</summary>
    /// <exception cref="SchemaException">The message cannot be a table; the text says why.</exception>
    public static TableSchema FromDescriptor(MessageDescriptor message) => FromDescriptor(message, []);

    /// <summary>Makes the table that a message declares, which had other versions before.</summary>
    /// <exception cref="SchemaException">The message cannot be a table; the text says why.</exception>
    internal static TableSchema FromDescriptor(MessageDescriptor message, IReadOnlyList<TableSchema> earlier) =>
        new TableSchemaBuilder(message).Build(earlier);

    /// <summary>
    /// Whether rows of a sender with that descriptor can be read: it is this version's, or that of an earlier one that
    /// this one only added to.
    /// </summary>
    /// <param name="fingerprint">
    /// SHA-256 of the sender's descriptor, with or without <c>json_name</c>, which some compilers write and others do not.
    /// </param>
    public bool Knows(ReadOnlySpan<byte> fingerprint)
    {
        foreach (byte[] own in _fingerprints)
        {
            if (fingerprint.SequenceEqual(own))
            {
                return true;
            }
        }

        foreach (TableSchema earlier in Earlier)
        {
            if (earlier.Knows(fingerprint) && SchemaEvolution.Refusal(earlier, this) is null)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Name of the table that a message declares; empty when it declares none.</summary>
    internal static string NameOf(MessageDescriptor message) =>
        message.GetOptions()?.GetExtension(OptionsExtensions.Table)?.Name ?? "";

    /// <summary>Whether both follow from the same descriptors.</summary>
    internal bool HasContentOf(TableSchema other) => _content.AsSpan().SequenceEqual(other._content);

    /// <summary>The version that wrote blocks with such columns; null when none of these did.</summary>
    internal TableSchema? VersionOf(ReadOnlySpan<byte> blockFingerprint) =>
        blockFingerprint.SequenceEqual(BlockFingerprint.Span) ? this : FindEarlier(blockFingerprint);

    /// <inheritdoc/>
    public override string ToString() => Name;

    private TableSchema? FindEarlier(ReadOnlySpan<byte> blockFingerprint)
    {
        foreach (TableSchema earlier in Earlier)
        {
            if (blockFingerprint.SequenceEqual(earlier.BlockFingerprint.Span))
            {
                return earlier;
            }
        }

        return null;
    }
}
