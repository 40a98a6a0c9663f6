namespace Ingest.Cli.Binding;

/// <summary>How the columns of files become the fields of rows.</summary>
internal sealed record BindingOptions
{
    /// <summary>The field of a column, by the column's name; before any name that is known. Default none.</summary>
    public IReadOnlyDictionary<string, string> Map { get; init; } = new Dictionary<string, string>();

    /// <summary>Values that every row gets, by field; they win over the file's. Default none.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Constants { get; init; } = [];

    /// <summary>The zone of times that do not say theirs. Default: what the format says, else UTC.</summary>
    public TimeSpan? UtcOffset { get; init; }

    /// <summary>The day of times of day that stand without one; for trips, the month. Default none.</summary>
    public DateOnly? Date { get; init; }

    /// <summary>The driver of rows that name none, from the file's name.</summary>
    public string Driver { get; init; } = "";

    /// <summary>The file's name without folders and extension, for ids of rows that have none.</summary>
    public string Stem { get; init; } = "";
}
