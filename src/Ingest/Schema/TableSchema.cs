using Google.Protobuf.Reflection;

namespace Ingest.Schema;

/// <summary>A table: what follows from a message with the `table` option.</summary>
public sealed class TableSchema
{
    internal TableSchema(
        string name, MessageDescriptor message, IReadOnlyList<ColumnSchema> columns, IReadOnlyList<string> orderBy,
        string partitionBy, int ttlDays)
    {
        Name = name;
        Message = message;
        Columns = columns;
        OrderBy = orderBy;
        PartitionBy = partitionBy;
        TtlDays = ttlDays;
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

    /// <inheritdoc/>
    public override string ToString() => Name;
}
