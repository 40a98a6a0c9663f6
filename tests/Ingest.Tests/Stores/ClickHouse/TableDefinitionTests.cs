using Ingest.Schema;
using Ingest.Stores;

namespace Ingest.Tests.Stores.ClickHouse;

[Collection(EngineCollection.Name)]
public sealed class TableDefinitionTests(EngineFixture engine)
{
    private static readonly TableLayout s_cluster = new()
    {
        DeduplicationWindow = 500,
        Cluster = "main",
        Database = "deliveries",
        ReplicaPath = "/clickhouse/tables/{shard}/{database}/{table}",
    };

    [Fact]
    public void A_cluster_has_replicated_local_tables_and_a_distributed_one()
    {
        var definition = new TableDefinition(SegmentFile.Table("points"), s_cluster);
        Assert.Equal("points_local", definition.LocalName);
        Assert.Equal(
            "CREATE TABLE IF NOT EXISTS `points_local` ON CLUSTER `main` (`id` UInt64 CODEC(Delta, ZSTD(1)), "
            + "`label` LowCardinality(String), `segment_id` UInt64, `received_at` DateTime64(3, 'UTC') DEFAULT "
            + "fromUnixTimestamp64Milli(toInt64(bitShiftRight(segment_id, 22)), 'UTC'), "
            + "INDEX segment_id_range segment_id TYPE minmax GRANULARITY 1) "
            + "ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}') "
            + "PARTITION BY toYYYYMM(received_at) ORDER BY (`label`, `id`) TTL received_at + toIntervalDay(30) "
            + "SETTINGS replicated_deduplication_window = 500, replicated_deduplication_window_seconds = 604800, "
            + "fsync_after_insert = 1, fsync_part_directory = 1",
            definition.Create());
        Assert.Equal(
            "CREATE TABLE IF NOT EXISTS `points` ON CLUSTER `main` AS `points_local` "
            + "ENGINE = Distributed('main', 'deliveries', 'points_local')",
            definition.CreateDistributed());
        Assert.Equal(
            "ALTER TABLE `points_local` ON CLUSTER `main` ADD COLUMN IF NOT EXISTS `label` LowCardinality(String) "
            + "AFTER `id`",
            definition.AddColumn("points_local", 1));
        Assert.Equal("INSERT INTO `points_local` (`id`, `label`, `segment_id`)", definition.Insert());
        Assert.StartsWith(
            "SELECT count() FROM `points_local` WHERE segment_id = 7", definition.CountRows(7), StringComparison.Ordinal);
    }

    [Fact]
    public void Settings_that_a_server_does_not_know_are_left_out()
    {
        var old = new TableLayout
        {
            DeduplicationWindow = 500, KnownSettings = new HashSet<string> { "fsync_after_insert" },
            HasSkippingIndices = false,
        };
        string create = new TableDefinition(SegmentFile.Table("points"), old).Create();
        Assert.EndsWith(" SETTINGS fsync_after_insert = 1", create, StringComparison.Ordinal);
        Assert.DoesNotContain("INDEX", create, StringComparison.Ordinal);
        string ancient = new TableDefinition(
            SegmentFile.Table("points"), old with { KnownSettings = new HashSet<string>() }).Create();
        Assert.DoesNotContain("SETTINGS", ancient, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task The_engine_can_parse_every_statement_for_a_cluster()
    {
        foreach (TableSchema table in BuiltInTables.All)
        {
            var definition = new TableDefinition(table, s_cluster);
            string[] statements =
            [
                definition.Create(), definition.CreateDistributed(), definition.AddColumn(definition.LocalName, 0),
                definition.AddColumn(table.Name, 1), definition.CountRows(1), definition.Insert() + " FORMAT Native",
                $"SYSTEM SYNC REPLICA {SqlText.Identifier(definition.LocalName)} LIGHTWEIGHT",
            ];
            foreach (string statement in statements)
            {
                await engine.Store.TextAsync($"SELECT formatQuerySingleLine({SqlText.Literal(statement)})");
            }
        }
    }
}
