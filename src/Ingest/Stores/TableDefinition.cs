using System.Text;
using Ingest.Schema;

namespace Ingest.Stores;

/// <summary>The SQL that a table's schema means in a layout.</summary>
internal sealed class TableDefinition(TableSchema table, TableLayout layout)
{
    // A segment of a table with a partition of its own may fall into more partitions than the 100 of the default.
    private static readonly (string Name, string Value)[] s_insertSettings =
    [
        ("async_insert", "0"), ("max_insert_threads", "1"), ("max_insert_block_size", "100000000"),
        ("min_insert_block_size_rows", "100000000"), ("min_insert_block_size_bytes", "16000000000"),
        ("max_partitions_per_insert_block", "0"),
    ];

    /// <summary>The schema.</summary>
    public TableSchema Schema => table;

    /// <summary>Name of the table that takes the rows.</summary>
    public string LocalName { get; } = layout.LocalName(table.Name);

    /// <summary>Whether another table, of the schema's name, reads over all shards.</summary>
    public bool IsDistributed => layout.IsDistributed;

    /// <summary>CREATE TABLE IF NOT EXISTS of the table that takes the rows.</summary>
    /// <remarks>
    /// The index on segment_id keeps <see cref="CountRows"/> cheap in parts that received_at does not rule out.
    /// </remarks>
    public string Create()
    {
        var sql = new StringBuilder();
        sql.Append("CREATE TABLE IF NOT EXISTS ").Append(SqlText.Identifier(LocalName)).Append(layout.OnCluster);
        sql.Append(" (").AppendJoin(", ", table.Columns.Select(Column));
        if (layout.HasSkippingIndices && table.Columns.Any(c => c.Name == TableSchema.SegmentIdColumn))
        {
            sql.Append(", INDEX segment_id_range segment_id TYPE minmax GRANULARITY 1");
        }

        sql.Append(") ENGINE = ").Append(layout.Engine);
        if (table.PartitionBy.Length > 0)
        {
            sql.Append(" PARTITION BY ").Append(table.PartitionBy);
        }

        sql.Append(" ORDER BY (").AppendJoin(", ", table.OrderBy.Select(SqlText.Identifier)).Append(')');
        if (table.TtlDays > 0)
        {
            sql.Append($" TTL {TableSchema.ReceivedAtColumn} + toIntervalDay({table.TtlDays})");
        }

        string settings = string.Join(", ", layout.Settings().Select(s => $"{s.Name} = {s.Value}"));
        return settings.Length > 0 ? sql.Append(" SETTINGS ").Append(settings).ToString() : sql.ToString();
    }

    /// <summary>CREATE TABLE IF NOT EXISTS of the table that reads over all shards.</summary>
    public string CreateDistributed() =>
        $"CREATE TABLE IF NOT EXISTS {SqlText.Identifier(table.Name)}{layout.OnCluster} "
        + $"AS {SqlText.Identifier(LocalName)} ENGINE = Distributed({SqlText.Literal(layout.Cluster)}, "
        + $"{SqlText.Literal(layout.Database)}, {SqlText.Literal(LocalName)})";

    /// <summary>Table, name and type of each column that tables have in the store; none of a table that is missing.</summary>
    public static string Columns(IEnumerable<string> names) =>
        "SELECT table, name, type FROM system.columns WHERE database = currentDatabase() AND table IN ("
        + string.Join(", ", names.Select(SqlText.Literal)) + ")";

    /// <summary>The engine's own spelling of a type.</summary>
    public static string TypeName(string type) => $"SELECT toTypeName(defaultValueOfTypeName({SqlText.Literal(type)}))";

    /// <summary>ALTER TABLE ADD COLUMN, behind the column that the schema has before it.</summary>
    public string AddColumn(string name, int index) =>
        $"ALTER TABLE {SqlText.Identifier(name)}{layout.OnCluster} ADD COLUMN IF NOT EXISTS "
        + (name == LocalName ? Column(table.Columns[index]) : NameAndType(table.Columns[index]))
        + (index == 0 ? " FIRST" : $" AFTER {SqlText.Identifier(table.Columns[index - 1].Name)}");

    /// <summary>Rows of a segment. Their received_at follows from the segment's id and rules out most parts.</summary>
    public string CountRows(ulong segmentId) => $"SELECT count() {FromSegment(segmentId)}";

    /// <summary>The INSERT of a segment, without settings, format and bytes.</summary>
    public string Insert() => $"INSERT INTO {SqlText.Identifier(LocalName)} ({InsertedColumns})";

    /// <summary>
    /// As <see cref="Insert"/>, of those rows of the segment alone that the table lacks; of tables that number their
    /// rows.
    /// </summary>
    /// <param name="segmentId">The segment.</param>
    /// <param name="path">Path of its file, for an engine that reads it itself; null when the bytes are sent.</param>
    public string InsertMissing(ulong segmentId, string? path = null) =>
        $"{Insert()} SELECT {InsertedColumns} FROM "
        + (path is null
            ? $"input({SqlText.Literal(InputStructure)})"
            : $"file({SqlText.Literal(path)}, 'Native', {SqlText.Literal(InputStructure)})")
        + $" WHERE {TableSchema.SegmentRowColumn} NOT IN (SELECT {TableSchema.SegmentRowColumn} {FromSegment(segmentId)})";

    /// <summary>Settings of the INSERT of a segment.</summary>
    /// <remarks>
    /// The stream's blocks are squashed until one of the two minima is reached, and both lie above any segment: so the
    /// segment becomes one block, one part, and the INSERT is all or nothing. With a partition of its own it becomes a
    /// part for each, which the store takes one after the other, each with a token of its own that follows from this.
    /// </remarks>
    public static IEnumerable<(string Name, string Value)> InsertSettings(string token) =>
    [
        .. s_insertSettings, ("insert_deduplicate", "1"), ("insert_deduplication_token", token),
    ];

    /// <summary>Settings of <see cref="InsertMissing"/>: what the store has is asked for, not remembered.</summary>
    public static IEnumerable<(string Name, string Value)> InsertMissingSettings() =>
        [.. s_insertSettings, ("insert_deduplicate", "0")];

    private string InsertedColumns => string.Join(
        ", ", table.Columns.Where(c => c.IsInserted).Select(c => SqlText.Identifier(c.Name)));

    private string InputStructure => string.Join(", ", table.Columns.Where(c => c.IsInserted).Select(NameAndType));

    private string FromSegment(ulong segmentId)
    {
        string sql = $"FROM {SqlText.Identifier(LocalName)} WHERE {TableSchema.SegmentIdColumn} = {segmentId}";
        ColumnSchema? receivedAt = table.Columns.FirstOrDefault(c => c.Name == TableSchema.ReceivedAtColumn);
        return receivedAt is null
            ? sql
            : sql + $" AND {receivedAt.Name} = fromUnixTimestamp64Milli(toInt64({segmentId >> 22}))";
    }

    private static string NameAndType(ColumnSchema column) => $"{SqlText.Identifier(column.Name)} {column.Type}";

    private static string Column(ColumnSchema column) =>
        NameAndType(column)
        + (column.Default.Length > 0 ? $" DEFAULT {column.Default}" : "")
        + (column.Codec.Length > 0 ? $" CODEC({column.Codec})" : "");
}
