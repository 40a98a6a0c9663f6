using System.Security.Cryptography;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Ingest.Schema;

/// <summary>A table: what follows from a message with the <c>(ingest.v1.table)</c> option.</summary>
public sealed class TableSchema
{
    /// <summary>Name of the column that says who sent a row.</summary>
    public const string ProducerIdColumn = "producer_id";

    /// <summary>Name of the column that says in which segment a row came.</summary>
    public const string SegmentIdColumn = "segment_id";

    /// <summary>Name of the column that says when a row's segment was opened.</summary>
    public const string ReceivedAtColumn = "received_at";

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
        Fingerprint = SHA256.HashData(message.ToProto().ToByteArray());
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
    public ReadOnlyMemory<byte> Fingerprint { get; }

    internal IReadOnlyList<FieldNode> Fields { get; }

    /// <summary>Makes the table that a message declares.</summary>
    /// <exception cref="SchemaException">The message cannot be a table; the text says why.</exception>
    public static TableSchema FromDescriptor(MessageDescriptor message) => new TableSchemaBuilder(message).Build();

    /// <inheritdoc/>
    public override string ToString() => Name;
}
