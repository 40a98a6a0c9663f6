using System.Globalization;
using Google.Protobuf.Reflection;
using Ingest.Log;
using Microsoft.Extensions.Logging;

namespace Ingest.Schema;

/// <summary>
/// Remembers every version of a table that was in force, over restarts: <c>schemas/TABLE/N.binpb</c> in the data
/// directory, each an image with the message's file and its imports.
/// </summary>
/// <remarks>
/// A version is durable before the first row of it is taken, so that a segment in the log can always be told which
/// columns it has, and a sender that has an older descriptor is known.
/// </remarks>
internal sealed class SchemaHistory(string directory, ILogFiles disk, ILogger logger)
{
    private const string Extension = ".binpb";

    /// <summary>
    /// What is to be in force when an image says <paramref name="wanted"/>: that, with the versions before it, or the
    /// newest that is remembered when it may not follow that.
    /// </summary>
    /// <exception cref="IOException">The directory cannot be read.</exception>
    public SchemaChoice Choose(TableSchema wanted)
    {
        IReadOnlyList<TableSchema> versions = Read(wanted.Name);
        if (versions.Count == 0)
        {
            return new SchemaChoice(wanted, IsNew: true, null);
        }

        TableSchema newest = versions[^1];
        if (newest.HasContentOf(wanted))
        {
            return new SchemaChoice(newest, IsNew: false, null);
        }

        return SchemaEvolution.Refusal(newest, wanted) is { } refusal
            ? new SchemaChoice(newest, IsNew: false, refusal)
            : new SchemaChoice(TableSchema.FromDescriptor(wanted.Message, versions), IsNew: true, null);
    }

    /// <summary>As <see cref="Choose"/>, of a table that the server's code is made for: it is in force in any case.</summary>
    /// <exception cref="IOException">The directory cannot be read.</exception>
    public SchemaChoice ChooseBuiltIn(TableSchema wanted)
    {
        IReadOnlyList<TableSchema> versions = Read(wanted.Name);
        return new SchemaChoice(
            TableSchema.FromDescriptor(wanted.Message, versions),
            IsNew: versions.Count == 0 || !versions[^1].HasContentOf(wanted), null);
    }

    /// <summary>Remembers a version that is new; when it returns the version survives a power loss.</summary>
    /// <exception cref="IOException">It could not be written; the version must not be used.</exception>
    public void Remember(SchemaChoice choice)
    {
        if (choice.IsNew)
        {
            Add(choice.Table);
        }
    }

    /// <summary>The versions of a table, the oldest first, each with those before it.</summary>
    /// <exception cref="IOException">The directory cannot be read.</exception>
    public IReadOnlyList<TableSchema> Read(string table)
    {
        var versions = new List<TableSchema>();
        foreach ((int number, string path) in Files(table))
        {
            try
            {
                MessageDescriptor message = DescriptorImage.ReadTables(File.ReadAllBytes(path))
                    .Single(m => TableSchema.NameOf(m) == table);
                versions.Add(TableSchema.FromDescriptor(message, [.. versions]));
            }
            catch (Exception e) when (e is SchemaException or InvalidOperationException)
            {
                LogMessages.SchemaVersionLost(logger, table, number, path, e.Message);
            }
        }

        return versions;
    }

    private void Add(TableSchema table)
    {
        string folder = Path.Combine(directory, table.Name);
        disk.CreateDirectory(folder);
        int number = Files(table.Name).Select(file => file.Number).LastOrDefault() + 1;
        string path = Path.Combine(folder, number.ToString("D6", CultureInfo.InvariantCulture) + Extension);
        string temporary = path + SegmentFiles.TemporaryExtension;
        disk.Delete(temporary);
        using (ILogFile file = disk.Create(temporary))
        {
            file.Write([MessageContent.Image(table.Message)], 0);
            file.Flush();
        }

        disk.Rename(temporary, path);
        disk.FlushDirectory(folder);
    }

    private IEnumerable<(int Number, string Path)> Files(string table) =>
        from path in disk.Files(Path.Combine(directory, table))
        where Path.GetExtension(path) == Extension
        let number = int.TryParse(Path.GetFileNameWithoutExtension(path), NumberStyles.None,
            CultureInfo.InvariantCulture, out int parsed) ? parsed : 0
        where number > 0
        orderby number
        select (number, path);
}
