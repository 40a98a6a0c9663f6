using System.Globalization;

namespace Ingest.Stores.ClickHouse;

/// <summary>What one server can do; asked once, and again after it was out of reach: it may have been upgraded.</summary>
/// <param name="VersionText">Its version as it says it.</param>
/// <param name="Settings">Settings of queries that it knows; it refuses a query with one that it does not know.</param>
/// <param name="TableSettings">Settings of MergeTree tables that it knows.</param>
internal sealed record ServerFacts(
    string VersionText, IReadOnlySet<string> Settings, IReadOnlySet<string> TableSettings)
{
    /// <summary>First two numbers of the version; 0.0 of what is none.</summary>
    public Version Version { get; } = Parse(VersionText);

    /// <summary>Asks a server.</summary>
    /// <exception cref="StoreException">The server refused.</exception>
    /// <exception cref="ReplicaDownException">It does not answer.</exception>
    public static async Task<ServerFacts> AskAsync(ISqlSession session, CancellationToken cancellationToken) => new(
        (await session.ReadRowsAsync("SELECT version()", cancellationToken)) is [[var version, ..], ..] ? version : "",
        await NamesAsync(session, "settings", cancellationToken),
        await NamesAsync(session, "merge_tree_settings", cancellationToken));

    private static async Task<HashSet<string>> NamesAsync(
        ISqlSession session, string table, CancellationToken cancellationToken) =>
        [.. (await session.ReadRowsAsync($"SELECT name FROM system.{table}", cancellationToken)).Select(row => row[0])];

    private static Version Parse(string text)
    {
        string[] parts = text.Split('.');
        return parts.Length >= 2
            && int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out int major)
            && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int minor)
            ? new Version(major, minor)
            : new Version(0, 0);
    }
}
