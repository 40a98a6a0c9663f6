namespace Ingest.Log;

/// <summary>The log's only way to the file system. Every method throws <see cref="IOException"/> on failure.</summary>
internal interface ILogFiles
{
    /// <summary>Creates a file that does not exist yet.</summary>
    ILogFile Create(string path);

    /// <summary>Opens an existing file for reading and writing.</summary>
    ILogFile Open(string path);

    /// <summary>Whether the file exists.</summary>
    bool Exists(string path);

    /// <summary>Paths of the files in a directory, in no order; empty when there is no such directory.</summary>
    IReadOnlyList<string> Files(string directory);

    /// <summary>Paths of the directories in a directory; empty when there is no such directory.</summary>
    IReadOnlyList<string> Directories(string directory);

    /// <summary>Creates a directory unless it exists, and makes its entry in the parent durable.</summary>
    void CreateDirectory(string path);

    /// <summary>Gives a file another name in the same file system; replaces what has it.</summary>
    void Rename(string from, string to);

    /// <summary>Deletes a file; nothing when there is none.</summary>
    void Delete(string path);

    /// <summary>Makes creations, renames and deletions in a directory durable.</summary>
    void FlushDirectory(string path);
}
