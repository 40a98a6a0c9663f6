namespace Ingest.EndToEnd.Tests;

/// <summary>Public data sets, which are never part of the repository.</summary>
internal static class Data
{
    /// <summary>Folder of a data set; the test is skipped where it is not.</summary>
    public static string Folder(string name)
    {
        string root = Environment.GetEnvironmentVariable("INGEST_DATA") ?? Path.Combine(Repository(), "../shared/data");
        string folder = Path.Combine(root, name);
        Skip.IfNot(Directory.Exists(folder), $"{folder} is not there; INGEST_DATA names the folder of the data sets");
        return folder;
    }

    /// <summary>Root of the repository.</summary>
    public static string Repository()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Ingest.sln")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName ?? throw new InvalidOperationException("not below the repository");
    }
}
