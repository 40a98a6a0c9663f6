using Ingest.Schema;

namespace Ingest.Stores.Embedded;

/// <summary>Creates a table, or adds what an existing one lacks.</summary>
internal static class TableMigration
{
    /// <summary>Brings the table to its schema. Columns that the schema does not know stay.</summary>
    /// <exception cref="StoreException">A column has another type, or the engine refused.</exception>
    public static void Run(EngineConnection session, TableSchema table, int deduplicationWindow)
    {
        session.Run(TableDefinition.Create(table, deduplicationWindow)).Dispose();
        Dictionary<string, string> existing = session
            .ReadRows(TableDefinition.Columns(table))
            .ToDictionary(row => row[0], row => row[1]);
        string[] clashes =
        [
            .. table.Columns
                .Where(c => existing.TryGetValue(c.Name, out string? type) && !IsSame(session, type, c.Type))
                .Select(c => $"{c.Name} is {existing[c.Name]}, the schema says {c.Type}"),
        ];
        if (clashes.Length > 0)
        {
            throw new StoreException(
                $"Table {table.Name} has columns of another type: {string.Join("; ", clashes)}.", StoreFault.BadQuery);
        }

        for (int i = 0; i < table.Columns.Count; i++)
        {
            if (!existing.ContainsKey(table.Columns[i].Name))
            {
                session.Run(TableDefinition.AddColumn(table, i)).Dispose();
            }
        }
    }

    /// <summary>Whether two spellings name one type; the engine is asked when they differ.</summary>
    private static bool IsSame(EngineConnection session, string existing, string wanted) =>
        existing == wanted || existing == session.ReadRows(TableDefinition.TypeName(wanted))[0][0];
}
