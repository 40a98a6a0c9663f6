using Ingest.Schema;
using Ingest.Stores;
using Ingest.Stores.Embedded;
using Ingest.V1;

namespace Ingest.Tests.Stores;

[Collection(EngineCollection.Name)]
public sealed class EmbeddedTableTests(EngineFixture engine)
{
    [SkippableFact]
    public async Task A_column_that_is_missing_is_added_in_its_place()
    {
        EmbeddedStore store = engine.Store;
        await store.EnsureTableAsync(SegmentFile.Table("grows"), default);
        await store.InsertAsync(
            SegmentFile.Write(engine.Directory, SegmentFile.Table("grows"), SegmentFile.Id(1), [3]), default);

        TableSchema wider = SegmentFile.Table("grows", new ColumnSchema("speed", "Float32", "Gorilla, ZSTD(1)", "", "Float32"));
        await store.EnsureTableAsync(wider, default);
        await store.EnsureTableAsync(wider, default);

        Assert.Equal(
            "id\nlabel\nspeed\nsegment_id\nreceived_at\n",
            await store.TextAsync("SELECT name FROM system.columns WHERE table = 'grows' ORDER BY position"));
        Assert.Equal("3\t0\n", await store.TextAsync("SELECT count(), sum(speed) FROM grows"));
    }

    [SkippableFact]
    public async Task A_column_of_another_type_is_refused_with_both_types_and_nothing_is_changed()
    {
        EmbeddedStore store = engine.Store;
        await store.EnsureTableAsync(
            SegmentFile.Table("clash", new ColumnSchema("x", "Int32", "", "", "Int32")), default);
        StoreException fault = await Assert.ThrowsAsync<StoreException>(() => store.EnsureTableAsync(
            SegmentFile.Table(
                "clash", new ColumnSchema("y", "Int8", "", "", "Int8"), new ColumnSchema("x", "String", "", "", "String")),
            default));
        Assert.Contains("x is Int32, the schema says String", fault.Message, StringComparison.Ordinal);
        Assert.Equal("0\n", await store.TextAsync(
            "SELECT count() FROM system.columns WHERE table = 'clash' AND name = 'y'"));
    }

    [SkippableTheory]
    [InlineData("DateTime64( 6,'UTC' )")]
    [InlineData("Enum('a' = 1, 'b' = 2)")]
    [InlineData("Map(LowCardinality( String ), String)")]
    [InlineData("Array(Nullable(Float64))")]
    [InlineData("LowCardinality(Nullable(String))")]
    public async Task Another_spelling_of_the_same_type_is_the_same_type(string type)
    {
        EmbeddedStore store = engine.Store;
        TableSchema table = SegmentFile.Table($"spelling_{type.Length}", new ColumnSchema("x", type, "", "", type));
        await store.EnsureTableAsync(table, default);
        await store.EnsureTableAsync(table, default);
    }

    [SkippableFact]
    public async Task Names_are_quoted()
    {
        EmbeddedStore store = engine.Store;
        TableSchema table = SegmentFile.Table("we`ird \\ 'name'", new ColumnSchema("a`b\\", "Int8", "", "", "Int8"));
        await store.EnsureTableAsync(table, default);
        Assert.Equal("0\n", await store.TextAsync("SELECT count() FROM `we\\`ird \\\\ 'name'` WHERE `a\\`b\\\\` = 1"));
    }

    [SkippableFact]
    public async Task Every_table_of_the_protos_can_be_made()
    {
        EmbeddedStore store = engine.Store;
        TableSchema[] tables =
        [
            .. new[] { GpsPoint.Descriptor, Event.Descriptor, MetricSample.Descriptor, Order.Descriptor }
                .Select(TableSchema.FromDescriptor),
        ];
        foreach (TableSchema table in tables)
        {
            await store.EnsureTableAsync(table, default);
            await store.EnsureTableAsync(table, default);
            Assert.Equal(
                $"{table.Columns.Count}\n",
                await store.TextAsync($"SELECT count() FROM system.columns WHERE database = 'default' AND table = '{table.Name}'"));
        }
    }
}
