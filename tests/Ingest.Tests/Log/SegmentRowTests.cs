using Ingest.Columns;
using Ingest.Decoding;
using Ingest.Log;
using Ingest.Schema;
using Ingest.Tests.Columns;
using Ingest.Tests.Schema;
using Ingest.V1;

namespace Ingest.Tests.Log;

/// <summary>Rows of a table with a partition of its own are numbered within their segment.</summary>
public sealed class SegmentRowTests : IDisposable
{
    private readonly LogDirectory _directory = new();
    private readonly CountingSink _sink = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Numbers_go_on_from_block_to_block_and_begin_anew_in_each_segment()
    {
        TableSchema schema = Partitioned();
        SegmentLog log = await _directory.OpenAsync(_directory.Options with { SegmentRows = 400 }, tables: [schema]);
        var table = new IngestTable(schema, log.Lane(schema));
        int rows = 0;
        for (int i = 0; i < 10; i++)
        {
            Batch batch = table.Lane.Rent(schema);
            int first = batch.RowCount;
            for (int row = 0; row < 60; row++)
            {
                Assert.Equal(RowResult.Accepted, table.Rows.TryAppend(ShopImage.Row("s", rows + row), batch, 0, out _));
            }

            batch.AddEntry(new BatchEntry(_sink, "", 0, rows, 60, first, 60));
            table.Lane.Return(batch);
            rows += 60;
            await _sink.CommittedAsync(rows);
        }

        List<SealedSegment> segments = await LogDirectory.StopAsync(log);
        Assert.Equal([360L, 240], segments.Select(segment => segment.Rows));
        Assert.All(segments, segment => Assert.Equal(
            Enumerable.Range(0, (int)segment.Rows).Select(row => (uint)row), Numbers(segment)));
    }

    private static IEnumerable<uint> Numbers(SealedSegment segment)
    {
        List<NativeBlock> blocks = NativeBlockReader.ReadAll(File.ReadAllBytes(segment.Path));
        Assert.True(blocks.Count > 1);
        return blocks.SelectMany(block => block[TableSchema.SegmentRowColumn].Values.Select(value => (uint)value!));
    }

    private static TableSchema Partitioned()
    {
        var file = ShopImage.File();
        file.MessageType[0].Options.GetExtension(OptionsExtensions.Table).PartitionBy = "people % 4";
        return ShopImage.Schema(file);
    }
}
