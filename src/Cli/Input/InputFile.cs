using System.IO.Compression;

namespace Ingest.Cli.Input;

/// <summary>A file to read, or standard input.</summary>
/// <param name="Path">The path, or `-` for standard input.</param>
/// <param name="LengthBytes">Its length on disk; 0 for standard input.</param>
/// <param name="FromDirectory">Whether it was found in a directory rather than named.</param>
internal sealed record InputFile(string Path, long LengthBytes, bool FromDirectory)
{
    /// <summary>The path that stands for standard input.</summary>
    public const string StandardInput = "-";

    private static readonly string[] Kinds = [".csv", ".tsv", ".txt", ".plt", ".json", ".jsonl", ".ndjson"];

    /// <summary>The name without folders, `.gz` and extension.</summary>
    public string Stem
    {
        get
        {
            var name = System.IO.Path.GetFileName(Path);
            if (name.EndsWith(".gz", StringComparison.OrdinalIgnoreCase))
            {
                name = name[..^3];
            }
            return Path == StandardInput ? "stdin" : System.IO.Path.GetFileNameWithoutExtension(name);
        }
    }

    /// <summary>
    /// The driver that a file without a driver column is about: GeoLife keeps a folder for each
    /// (`000/Trajectory/2008.plt`), cabspotting a file (`new_abboip.txt`), and others the same without `new_`.
    /// </summary>
    public string Driver
    {
        get
        {
            var folder = System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(Path));
            if (string.Equals(System.IO.Path.GetFileName(folder), "Trajectory", StringComparison.OrdinalIgnoreCase))
            {
                return System.IO.Path.GetFileName(System.IO.Path.GetDirectoryName(folder)) ?? Stem;
            }
            return Stem.StartsWith("new_", StringComparison.Ordinal) ? Stem["new_".Length..] : Stem;
        }
    }

    /// <summary>
    /// The files that paths name: a file stands for itself, a directory for all files of a known kind below it, in
    /// the order of their paths.
    /// </summary>
    /// <exception cref="FileNotFoundException">Nothing has that path.</exception>
    public static List<InputFile> Expand(IEnumerable<string> paths)
    {
        var files = new List<InputFile>();
        foreach (var path in paths)
        {
            if (path == StandardInput)
            {
                files.Add(new InputFile(path, 0, FromDirectory: false));
            }
            else if (Directory.Exists(path))
            {
                var found = Directory.GetFiles(path, "*", SearchOption.AllDirectories);
                Array.Sort(found, StringComparer.Ordinal);
                foreach (var file in found)
                {
                    if (IsOfKnownKind(file))
                    {
                        files.Add(new InputFile(file, new FileInfo(file).Length, FromDirectory: true));
                    }
                }
            }
            else if (File.Exists(path))
            {
                files.Add(new InputFile(path, new FileInfo(path).Length, FromDirectory: false));
            }
            else
            {
                throw new FileNotFoundException($"There is no file or directory {path}.", path);
            }
        }
        return files;
    }

    /// <summary>Opens the file; what is compressed with gzip is unpacked, whatever its name.</summary>
    /// <param name="bytesRead">Told how many bytes of the file itself were read, each time some were.</param>
    public Stream Open(Action<int> bytesRead)
    {
        var raw = Path == StandardInput
            ? Console.OpenStandardInput()
            : new FileStream(Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
        var counted = new CountingStream(raw, bytesRead);
        return counted.StartsWith(0x1f, 0x8b) ? new GZipStream(counted, CompressionMode.Decompress) : counted;
    }

    private static bool IsOfKnownKind(string path)
    {
        var name = path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? path[..^3] : path;
        var extension = System.IO.Path.GetExtension(name);
        return Array.Exists(Kinds, kind => kind.Equals(extension, StringComparison.OrdinalIgnoreCase));
    }
}
