using Ingest.Columns;
using Ingest.Decoding;
using Ingest.Log;
using Ingest.Schema;
using Ingest.Tests.Columns;
using Ingest.Tests.Schema;
using Type = Google.Protobuf.Reflection.FieldDescriptorProto.Types.Type;

namespace Ingest.Tests.Log;

/// <summary>A table that gets another version while the log runs, and tables that come and go between runs.</summary>
public sealed class VersionTests : IDisposable
{
    private static readonly TableSchema s_first = ShopImage.Schema(ShopImage.File());
    private static readonly TableSchema s_second = TableSchema.FromDescriptor(
        DescriptorImage.ReadTables(
            ShopImage.Of(ShopImage.File(ShopImage.Visit(ShopImage.Field("note", 5, Type.String)))))[0],
        [s_first]);

    private readonly LogDirectory _directory = new();
    private readonly CountingSink _sink = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task A_segment_has_blocks_of_one_version()
    {
        SegmentLog log = await OpenAsync(s_first);
        Lane lane = log.Lane(s_first);
        var first = new IngestTable(s_first, lane);
        Append(first, 0, 3);
        Batch held = lane.Rent(s_first);
        Fill(first, held, 3, 2);

        IngestTable second = first.Evolve(s_second, schema => new IngestTable(schema, lane));
        Assert.Same(second, first.Current);
        Append(second, 5, 4);
        lane.Return(held);
        Append(first, 9, 1);
        Append(second, 10, 2);
        await _sink.CommittedAsync(12);
        List<SealedSegment> segments = await LogDirectory.StopAsync(log);

        Assert.Equal(Enumerable.Range(0, 12).Select(i => (long)i), segments.SelectMany(Read).Select(r => r.People).Order());
        Assert.All(segments, segment => Assert.All(
            Read(segment), row => Assert.Equal(segment.Table == s_second, row.HasNote)));
        Assert.Equal([0L, 1, 2, 3, 4, 9], Of(segments, s_first).Order());
    }

    [Fact]
    public async Task Batches_of_the_version_before_are_not_taken_again()
    {
        SegmentLog log = await OpenAsync(s_first);
        Lane lane = log.Lane(s_first);
        var first = new IngestTable(s_first, lane);
        Append(first, 0, 1);
        await _sink.CommittedAsync(1);
        first.Evolve(s_second, schema => new IngestTable(schema, lane));
        for (int i = 0; i < 20; i++)
        {
            Batch batch = lane.Rent();
            Assert.Same(s_second, batch.Table);
            lane.Return(batch);
        }

        await LogDirectory.StopAsync(log);
    }

    [Fact]
    public async Task Offsets_of_rejected_rows_alone_do_not_mix_versions()
    {
        SegmentLog log = await OpenAsync(s_first);
        Lane lane = log.Lane(s_first);
        var first = new IngestTable(s_first, lane);
        var session = new TestSession("p", 1, _sink);
        await lane.OpenProducerAsync(session);
        Batch batch = lane.Rent(s_first);
        batch.AddEntry(new BatchEntry(session, "p", 1, 0, 5, 0, 0));
        lane.Return(batch);
        await Eventually.BeAsync(() => session.Durable == 5);
        string empty = Assert.Single(Directory.GetFiles(TablePath, "*.index"));

        IngestTable second = first.Evolve(s_second, schema => new IngestTable(schema, lane));
        Append(second, 0, 3);
        await _sink.CommittedAsync(3);
        Assert.False(File.Exists(empty));
        SealedSegment segment = Assert.Single(await LogDirectory.StopAsync(log));
        Assert.Same(s_second, segment.Table);

        log = await OpenAsync(s_second);
        Assert.Equal(5, (await log.Lane(s_second).OpenProducerAsync(new TestSession("p", 2))).DurableOffset);
        await LogDirectory.StopAsync(log);
    }

    [Fact]
    public async Task After_a_restart_a_segment_is_of_the_version_that_wrote_it()
    {
        SegmentLog log = await OpenAsync(s_first);
        Append(new IngestTable(s_first, log.Lane(s_first)), 0, 3);
        await LogDirectory.StopAsync(log);
        log = await OpenAsync(s_second);
        Append(new IngestTable(s_second, log.Lane(s_second)), 3, 2);
        List<SealedSegment> segments = await LogDirectory.StopAsync(log);
        Assert.Equal([s_first, s_second], segments.Select(s => s.Table));

        log = await OpenAsync(s_second);
        segments = await LogDirectory.StopAsync(log);
        Assert.Equal([s_first, s_second], segments.Select(s => s.Table));
        Assert.All(segments, segment => Assert.True(segment.Recovered));
    }

    [Fact]
    public async Task A_table_that_no_schema_declares_keeps_its_segments_and_producers_until_one_does()
    {
        SegmentLog log = await OpenAsync(s_first);
        var session = new TestSession("p", 1, _sink);
        await log.Lane(s_first).OpenProducerAsync(session);
        Append(new IngestTable(s_first, log.Lane(s_first)), 0, 3, session);
        await _sink.CommittedAsync(3);
        await LogDirectory.StopAsync(log);

        log = await OpenAsync(LogDirectory.Events);
        Assert.Equal(("visits", 1), Assert.Single(log.UnclaimedTables.Select(t => (t.Key, t.Value))));
        Lane lane = log.Lane(s_second);
        Assert.Empty(log.UnclaimedTables);
        Assert.Equal(3, (await lane.OpenProducerAsync(new TestSession("p", 2))).DurableOffset);
        SealedSegment segment = Assert.Single(await LogDirectory.StopAsync(log));
        Assert.Same(s_first, segment.Table);
        Assert.Equal([0L, 1, 2], Read(segment).Select(row => row.People));
    }

    private Task<SegmentLog> OpenAsync(TableSchema table) => _directory.OpenAsync(tables: [table]);

    private string TablePath => Path.Combine(_directory.DataPath, "log", "visits");

    private void Append(IngestTable table, int first, int count, AppendSink? sink = null)
    {
        Batch batch = table.Lane.Rent(table.Schema);
        Fill(table, batch, first, count, sink);
        table.Lane.Return(batch);
    }

    private void Fill(IngestTable table, Batch batch, int first, int count, AppendSink? sink = null)
    {
        Assert.Same(table.Schema, batch.Table);
        int row = batch.RowCount;
        for (int i = 0; i < count; i++)
        {
            Assert.Equal(
                RowResult.Accepted, table.Rows.TryAppend(ShopImage.Row("s", first + i), batch, 0, out _));
        }

        string producer = (sink as ProducerSession)?.ProducerId ?? "";
        batch.AddEntry(new BatchEntry(sink ?? _sink, producer, 1, first, count, row, count));
    }

    private static IEnumerable<long> Of(IEnumerable<SealedSegment> segments, TableSchema table) =>
        segments.Where(segment => segment.Table == table).SelectMany(Read).Select(row => row.People);

    private static IEnumerable<(long People, bool HasNote)> Read(SealedSegment segment) =>
        from block in NativeBlockReader.ReadAll(File.ReadAllBytes(segment.Path))
        let note = block.Columns.Any(column => column.Name == "note")
        from value in block.Columns.Single(column => column.Name == "people").Values
        select ((long)value!, note);
}
