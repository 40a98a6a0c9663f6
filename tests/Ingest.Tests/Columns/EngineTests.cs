using Google.Protobuf;
using Ingest.Columns;
using Ingest.Decoding;
using Ingest.Log;
using Ingest.Schema;
using Ingest.Stores;
using Ingest.Stores.Embedded;
using Ingest.Tests.Decoding;
using Ingest.Tests.Protos;
using Ingest.Tests.Stores;

namespace Ingest.Tests.Columns;

/// <summary>Blocks of every table through the real engine and back.</summary>
[Collection(EngineCollection.Name)]
public sealed class EngineTests(EngineFixture engine)
{
    // Unix milliseconds << 22 | random bits.
    private const ulong OpenedAt = 1_795_219_200_000UL << 22;

    private static ulong s_nextSegment = OpenedAt | 0x2_0000;

    public static TheoryData<string> Names => Tables.Names;

    [SkippableTheory]
    [MemberData(nameof(Names))]
    public async Task The_engine_holds_what_the_decoder_wrote(string name)
    {
        var table = TableSchema.FromDescriptor(Tables.Of(name));
        var (decoder, batch) = (new RowDecoder(table), new Batch(table));
        var choices = Choices.From(new Random(11));
        while (batch.RowCount < 300)
        {
            var row = new MessageMaker(choices).Make(table.Message).ToByteArray();
            Assert.NotEqual(RowResult.Malformed, decoder.TryAppend(row, batch, Comparison.Now, out _));
        }

        await AssertStoredAsync(table, batch);
    }

    [SkippableTheory]
    [InlineData(257)]
    [InlineData(65_537)]
    public async Task The_engine_reads_dictionaries_of_any_size(int keys)
    {
        var table = TableSchema.FromDescriptor(LowCardinalities.Descriptor);
        var (decoder, batch) = (new RowDecoder(table), new Batch(table));
        for (var i = 0; i < keys; i++)
        {
            var row = new LowCardinalities { Text = $"key_{i}" };
            if (i % 2 == 0)
            {
                row.Maybe = i % 4 == 0 ? "" : $"maybe_{i}";
                row.List.Add($"item_{i}");
            }

            Assert.Equal(RowResult.Accepted, decoder.TryAppend(row.ToByteArray(), batch, Comparison.Now, out _));
        }

        await AssertStoredAsync(table, batch);
    }

    [SkippableFact]
    public async Task Columns_without_a_single_item_or_value_are_read()
    {
        foreach (var name in new[] { nameof(Optionals), nameof(Lists), nameof(MapValues), nameof(LowCardinalities) })
        {
            var table = TableSchema.FromDescriptor(Tables.Of(name));
            var (decoder, batch) = (new RowDecoder(table), new Batch(table));
            for (var i = 0; i < 3; i++)
            {
                Assert.Equal(RowResult.Accepted, decoder.TryAppend([], batch, Comparison.Now, out _));
            }

            await AssertStoredAsync(table, batch);
        }
    }

    private async Task AssertStoredAsync(TableSchema table, Batch batch)
    {
        var store = engine.Store;
        var segment = Interlocked.Increment(ref s_nextSegment);
        var block = await InsertAsync(store, table, batch, segment);
        var columns = string.Join(", ", block.Columns.Select(c => $"`{c.Name}`"));
        using var answer = new MemoryStream();
        var query = $"SELECT {columns} FROM {table.Name} WHERE segment_id = {segment} FORMAT Native";
        await foreach (var piece in store.QueryAsync(query, new QueryLimits(), default))
        {
            answer.Write(piece.Span);
        }

        var stored = NativeBlockReader.ReadAll(answer.ToArray());
        Assert.Equal(block.Rows, stored.Sum(b => b.Rows));
        Assert.Equal(RowTexts([block]), RowTexts(stored));
    }

    private async Task<NativeBlock> InsertAsync(EmbeddedStore store, TableSchema table, Batch batch, ulong segment)
    {
        Blocks.AddProducer(batch);
        var parts = new List<ReadOnlyMemory<byte>>();
        batch.Encode(segment, parts);
        byte[] bytes = [.. parts.SelectMany(p => p.ToArray())];
        var path = Path.Combine(engine.Directory, $"{table.Name}-{segment}.native");
        await File.WriteAllBytesAsync(path, bytes);
        await store.EnsureTableAsync(table, default);
        await store.InsertAsync(
            new SealedSegment(
                table, segment, path, bytes.Length, batch.RowCount, $"decode/{table.Name}/{segment}", Recovered: false),
            default);
        return NativeBlockReader.Read(bytes);
    }

    // The engine keeps rows in the order of its key.
    private static List<string> RowTexts(IEnumerable<NativeBlock> blocks) =>
    [
        .. blocks.SelectMany(block => Enumerable.Range(0, block.Rows).Select(row => string.Join(
            '|', block.Columns.Select(c => $"{c.Name}={CellText.Of(c.Values[row], CellText.Bytes)}"))))
            .Order(StringComparer.Ordinal),
    ];
}
