using Ingest.Log;
using Ingest.Log.Inspection;
using Ingest.Stores;
using Ingest.Stores.Embedded;

namespace Ingest.Tests.Stores.Poison;

/// <summary>Rows that were set aside come back into the real engine, once.</summary>
[Collection(EngineCollection.Name)]
public sealed class RestoredRowsTests(EngineFixture engine)
{
    [SkippableFact]
    public async Task What_was_refused_and_set_aside_lands_once_when_the_table_takes_it_again()
    {
        EmbeddedStore store = engine.Store;
        using var table = new PoisonedTable(engine);
        await store.EnsureTableAsync(table.Schema, default);
        table.Forbid();
        int[] bad = [.. Enumerable.Range(0, 100).Select(i => i * 3)];
        await table.StoreAsync(store, 20, await table.WriteAsync(4, 100, bad));
        QuarantineDirectory quarantine = QuarantineDirectory.Of(table.DataPath);
        QuarantinedPiece piece = Assert.Single(quarantine.List());
        Assert.Equal((QuarantineKind.RefusedRows, null), (piece.Kind, piece.Fault));
        Assert.InRange(piece.Rows, 100, 399);
        string[] files = Directory.GetFiles(table.Quarantine);
        byte[][] kept = [.. files.Select(File.ReadAllBytes)];

        table.Allow();
        for (int again = 0; again < 2; again++)
        {
            Assert.Equal(piece.Rows, quarantine.Restore(piece.Name, isUnverified: false).Rows);
            StoreWriterStatus status = await table.StoreAsync(store, 20, [.. await table.RecoverAsync()]);
            Assert.Equal((again == 0 ? 1L : 0L, again == 0 ? 0L : 1L), (status.Inserts, status.AlreadyStored));
            Assert.Equal(PoisonedTable.Summary(400), await table.SummaryAsync(store));

            // Someone puts the files back and gives them back once more.
            for (int i = 0; i < files.Length; i++)
            {
                await File.WriteAllBytesAsync(files[i], kept[i]);
            }
        }
    }
}
