using Ingest.Schema;

namespace Ingest.Stores;

/// <summary>Creates a table, or adds what an existing one lacks.</summary>
internal static class TableMigration
{
    /// <summary>Brings the table to its schema. Columns that the schema does not know stay.</summary>
    /// <exception cref="StoreException">A column has another type, or the store refused.</exception>
    public static async Task RunAsync(
        ISqlSession session, TableDefinition table, CancellationToken cancellationToken)
    {
        await RunAsync(session, table, table.LocalName, table.Create(), cancellationToken);
        if (table.IsDistributed)
        {
            await RunAsync(session, table, table.Schema.Name, table.CreateDistributed(), cancellationToken);
        }
    }

    private static async Task RunAsync(
        ISqlSession session, TableDefinition table, string name, string create, CancellationToken cancellationToken)
    {
        Dictionary<string, string> existing = await ColumnsAsync(session, name, cancellationToken);
        if (existing.Count == 0)
        {
            await session.RunAsync(create, cancellationToken);
            existing = await ColumnsAsync(session, name, cancellationToken);
        }

        IReadOnlyList<ColumnSchema> wanted = table.Schema.Columns;
        var clashes = new List<string>();
        foreach (ColumnSchema column in wanted)
        {
            if (existing.TryGetValue(column.Name, out string? type)
                && !await IsSameAsync(session, type, column.Type, cancellationToken))
            {
                clashes.Add($"{column.Name} is {type}, the schema says {column.Type}");
            }
        }

        if (clashes.Count > 0)
        {
            throw new StoreException(
                $"Table {name} has columns of another type: {string.Join("; ", clashes)}.", StoreFault.BadQuery);
        }

        for (int i = 0; i < wanted.Count; i++)
        {
            if (!existing.ContainsKey(wanted[i].Name))
            {
                await session.RunAsync(table.AddColumn(name, i), cancellationToken);
            }
        }
    }

    private static async Task<Dictionary<string, string>> ColumnsAsync(
        ISqlSession session, string name, CancellationToken cancellationToken) =>
        (await session.ReadRowsAsync(TableDefinition.Columns(name), cancellationToken))
            .ToDictionary(row => row[0], row => row[1]);

    /// <summary>Whether two spellings name one type; the engine is asked when they differ.</summary>
    private static async ValueTask<bool> IsSameAsync(
        ISqlSession session, string existing, string wanted, CancellationToken cancellationToken) =>
        existing == wanted
        || existing == (await session.ReadRowsAsync(TableDefinition.TypeName(wanted), cancellationToken))[0][0];
}
