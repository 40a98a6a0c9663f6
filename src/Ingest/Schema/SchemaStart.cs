namespace Ingest.Schema;

/// <summary>The tables that a server starts with: its own and those of the images.</summary>
/// <param name="Choices">All of them.</param>
/// <param name="Refused">What the images say and may not follow what was in force before, a sentence each.</param>
/// <param name="Stamp">The images' stamp before they were read.</param>
internal sealed record SchemaStart(
    IReadOnlyList<SchemaChoice> Choices, IReadOnlyList<string> Refused, string Stamp)
{
    /// <summary>The tables.</summary>
    public IReadOnlyList<TableSchema> Tables { get; } = [.. Choices.Select(choice => choice.Table)];

    /// <summary>Reads the images, and what earlier runs remember of their tables.</summary>
    /// <exception cref="SchemaException">An image cannot be read, or a message in it be no table; all faults.</exception>
    /// <exception cref="IOException">What is remembered cannot be read.</exception>
    public static SchemaStart Read(SchemaFiles files, SchemaHistory history)
    {
        string stamp = files.Stamp();
        SchemaReading reading = files.Read();
        if (reading.Faults.Count > 0)
        {
            throw new SchemaException(string.Join(
                Environment.NewLine, reading.Faults.Select(fault => $"Ingest:Schemas: {fault}.")));
        }

        List<SchemaChoice> choices = [.. BuiltInTables.All.Select(history.ChooseBuiltIn)];
        var refused = new List<string>();
        foreach ((TableSchema table, string path) in reading.Tables.Values)
        {
            SchemaChoice choice = history.Choose(table);
            choices.Add(choice);
            if (choice.Refusal is not null)
            {
                refused.Add($"{path}: {choice.Refusal}");
            }
        }

        return new SchemaStart(choices, refused, stamp);
    }
}
