namespace Ingest.Tests.Log.Crashes;

/// <summary>Files and directories as a process finds them that starts.</summary>
internal sealed record DiskImage(IReadOnlyDictionary<string, byte[]> Files, IReadOnlySet<string> Directories)
{
    public static DiskImage Empty { get; } = new(
        new Dictionary<string, byte[]>(StringComparer.Ordinal), new HashSet<string>(StringComparer.Ordinal));
}
