using System.Text;
using Ingest.Schema;

namespace Ingest.Stores.Embedded;

/// <summary>The SQL that a table's schema means for a MergeTree on one machine.</summary>
internal static class TableDefinition
{
    /// <summary>CREATE TABLE IF NOT EXISTS.</summary>
    /// <param name="table">The table.</param>
    /// <param name="deduplicationWindow">Latest inserts whose tokens it remembers.</param>
    /// <remarks>
    /// <c>non_replicated_deduplication_window</c> is 0 by default, which forgets every token. With
    /// <c>fsync_after_insert</c> and <c>fsync_part_directory</c> a finished INSERT survives a power loss; they cost 10 %.
    /// The index on segment_id keeps <see cref="CountRows"/> cheap in parts that received_at does not rule out.
    /// </remarks>
    public static string Create(TableSchema table, int deduplicationWindow)
    {
        var sql = new StringBuilder();
        sql.Append("CREATE TABLE IF NOT EXISTS ").Append(SqlText.Identifier(table.Name)).Append(" (");
        sql.AppendJoin(", ", table.Columns.Select(Column));
        if (table.Columns.Any(c => c.Name == TableSchema.SegmentIdColumn))
        {
            sql.Append(", INDEX segment_id_range segment_id TYPE minmax GRANULARITY 1");
        }

        sql.Append(") ENGINE = MergeTree");
        if (table.PartitionBy.Length > 0)
        {
            sql.Append(" PARTITION BY ").Append(table.PartitionBy);
        }

        sql.Append(" ORDER BY (").AppendJoin(", ", table.OrderBy.Select(SqlText.Identifier)).Append(')');
        if (table.TtlDays > 0)
        {
            sql.Append($" TTL {TableSchema.ReceivedAtColumn} + toIntervalDay({table.TtlDays})");
        }

        sql.Append($" SETTINGS non_replicated_deduplication_window = {deduplicationWindow}");
        sql.Append(", fsync_after_insert = 1, fsync_part_directory = 1");
        return sql.ToString();
    }

    /// <summary>Names and types that the store has, in order.</summary>
    public static string Columns(TableSchema table) =>
        "SELECT name, type FROM system.columns WHERE database = currentDatabase() AND table = "
        + $"{SqlText.Literal(table.Name)} ORDER BY position";

    /// <summary>The engine's own spelling of a type.</summary>
    public static string TypeName(string type) => $"SELECT toTypeName(defaultValueOfTypeName({SqlText.Literal(type)}))";

    /// <summary>ALTER TABLE ADD COLUMN, behind the column that the schema has before it.</summary>
    public static string AddColumn(TableSchema table, int index) =>
        $"ALTER TABLE {SqlText.Identifier(table.Name)} ADD COLUMN IF NOT EXISTS {Column(table.Columns[index])} "
        + (index == 0 ? "FIRST" : $"AFTER {SqlText.Identifier(table.Columns[index - 1].Name)}");

    /// <summary>Rows of a segment. Their received_at follows from the segment's id and rules out most parts.</summary>
    public static string CountRows(TableSchema table, ulong segmentId)
    {
        string sql = $"SELECT count() FROM {SqlText.Identifier(table.Name)} "
            + $"WHERE {TableSchema.SegmentIdColumn} = {segmentId}";
        ColumnSchema? receivedAt = table.Columns.FirstOrDefault(c => c.Name == TableSchema.ReceivedAtColumn);
        return receivedAt is null
            ? sql
            : sql + $" AND {receivedAt.Name} = fromUnixTimestamp64Milli(toInt64({segmentId >> 22}))";
    }

    /// <summary>The INSERT of a segment, without its bytes.</summary>
    /// <remarks>
    /// The stream's blocks are squashed until one of the two minima is reached, and both lie above any segment: so the
    /// segment becomes one block, one part, and the INSERT is all or nothing.
    /// </remarks>
    public static string Insert(TableSchema table, string token) =>
        $"INSERT INTO {SqlText.Identifier(table.Name)} ("
        + string.Join(", ", table.Columns.Where(c => c.IsInserted).Select(c => SqlText.Identifier(c.Name)))
        + ") SETTINGS async_insert = 0, insert_deduplicate = 1, "
        + $"insert_deduplication_token = {SqlText.Literal(token)}, max_insert_threads = 1, "
        + "max_insert_block_size = 100000000, min_insert_block_size_rows = 100000000, "
        + "min_insert_block_size_bytes = 16000000000";

    private static string Column(ColumnSchema column) =>
        $"{SqlText.Identifier(column.Name)} {column.Type}"
        + (column.Default.Length > 0 ? $" DEFAULT {column.Default}" : "")
        + (column.Codec.Length > 0 ? $" CODEC({column.Codec})" : "");
}
