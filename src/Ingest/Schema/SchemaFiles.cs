using Google.Protobuf.Reflection;

namespace Ingest.Schema;

/// <summary>The images that the settings name, and what is in them.</summary>
/// <param name="paths">Paths of images, and of directories that have some.</param>
internal sealed class SchemaFiles(IReadOnlyList<string> paths)
{
    /// <summary>Endings of the files of a directory that are taken for images.</summary>
    public static readonly string[] Extensions = [".binpb", ".desc", ".pb", ".protoset"];

    /// <summary>
    /// A text that changes when a file does, is added or goes: paths, lengths and times. Cheap, so it can be asked often.
    /// </summary>
    public string Stamp()
    {
        try
        {
            return string.Join('\n', List().Select(path => new FileInfo(path)).Select(file => file.Exists
                ? $"{file.FullName} {file.Length} {Time(file)}"
                : $"{file.FullName} is not there"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return e.Message;
        }
    }

    /// <summary>Reads all of them anew.</summary>
    public SchemaReading Read()
    {
        var tables = new Dictionary<string, (TableSchema Table, string Path)>(StringComparer.Ordinal);
        var faults = new List<string>();
        foreach (string path in Found(faults))
        {
            try
            {
                ReadFile(path, tables, faults);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                faults.Add($"{path}: cannot be read: {e.Message}");
            }
            catch (SchemaException e)
            {
                faults.Add($"{path}: {e.Message}");
            }
        }

        return new SchemaReading(tables.ToDictionary(t => t.Key, t => t.Value, StringComparer.Ordinal), faults);
    }

    private static void ReadFile(
        string path, Dictionary<string, (TableSchema Table, string Path)> tables, List<string> faults)
    {
        IReadOnlyList<MessageDescriptor> messages = DescriptorImage.ReadTables(File.ReadAllBytes(path));
        foreach (MessageDescriptor message in messages.Where(m => !BuiltInTables.IsMessage(m.FullName)))
        {
            try
            {
                TableSchema table = TableSchema.FromDescriptor(message);
                if (BuiltInTables.IsTable(table.Name))
                {
                    faults.Add($"{path}: message {message.FullName}: table {table.Name} is one of the server's own");
                }
                else if (!tables.TryAdd(table.Name, (table, path))
                    && !tables[table.Name].Table.HasContentOf(table))
                {
                    faults.Add(
                        $"{path}: message {message.FullName}: table {table.Name} is in {tables[table.Name].Path} too, "
                        + $"as message {tables[table.Name].Table.Message.FullName}, and differs");
                }
            }
            catch (SchemaException e)
            {
                faults.Add($"{path}: {e.Message}");
            }
        }

        if (messages.Count == 0)
        {
            faults.Add($"{path}: has no message with the (ingest.v1.table) option");
        }
    }

    private List<string> Found(List<string> faults)
    {
        try
        {
            return List();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            faults.Add(e.Message);
            return [];
        }
    }

    private List<string> List() =>
    [
        .. paths.SelectMany(path => Directory.Exists(path)
            ? Directory.EnumerateFiles(path).Where(IsImage).Order(StringComparer.Ordinal)
            : (IEnumerable<string>)[path]),
    ];

    private static bool IsImage(string path) =>
        Extensions.Contains(Path.GetExtension(path), StringComparer.OrdinalIgnoreCase);

    // A mounted directory is swapped by a link: the time of what the link points at is what changes.
    private static long Time(FileInfo file) =>
        (file.ResolveLinkTarget(returnFinalTarget: true) ?? file).LastWriteTimeUtc.Ticks;
}
