using System.Collections.Frozen;
using Ingest.Schema;

namespace Ingest;

/// <summary>The tables that take rows now: a snapshot that never changes, swapped when schemas are reloaded.</summary>
/// <remarks>Read by any thread, without a lock; written by one reload at a time.</remarks>
internal sealed class TableRegistry
{
    private volatile FrozenDictionary<string, IngestTable> _byName;
    private readonly FrozenDictionary<string, string> _names;

    public TableRegistry(IEnumerable<IngestTable> tables)
    {
        _byName = tables.ToFrozenDictionary(t => t.Schema.Name, StringComparer.Ordinal);
        _names = BuiltInTables.All.ToFrozenDictionary(t => t.Message.FullName, t => t.Name, StringComparer.Ordinal);
    }

    /// <summary>All of them, by name.</summary>
    public IReadOnlyDictionary<string, IngestTable> All => _byName;

    /// <summary>
    /// Names of those that producers may write: all but dead letters and updates, which are the server's own.
    /// </summary>
    public IEnumerable<string> ProducerTables =>
        _byName.Keys.Where(BuiltInTables.IsForProducers).Order(StringComparer.Ordinal);

    /// <summary>The server's own table of a message.</summary>
    public IngestTable OfMessage(string fullName) => _byName[_names[fullName]];

    /// <summary>The table that producers may write; null when there is none of that name.</summary>
    public IngestTable? FindForProducer(string name) =>
        BuiltInTables.IsForProducers(name) ? _byName.GetValueOrDefault(name) : null;

    /// <summary>Adds a table, or puts a version in the place of the one before.</summary>
    public void Set(IngestTable table) =>
        _byName = _byName.Where(t => t.Key != table.Schema.Name).Append(new(table.Schema.Name, table))
            .ToFrozenDictionary(StringComparer.Ordinal);
}
