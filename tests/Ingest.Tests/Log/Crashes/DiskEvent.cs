namespace Ingest.Tests.Log.Crashes;

/// <summary>Something that happened on a <see cref="SimulatedDisk"/>, in the order in which it did.</summary>
internal abstract record DiskEvent
{
    /// <summary>A directory was made, durably, and those above it.</summary>
    public sealed record DirectoryCreated(string Path) : DiskEvent;

    /// <summary>A file got its name.</summary>
    public sealed record Created(string Path, int File) : DiskEvent;

    /// <summary>Bytes were written; what became durable of them only a flush says.</summary>
    public sealed record Written(int File, long Offset, byte[] Bytes) : DiskEvent;

    /// <summary>A file was cut.</summary>
    public sealed record Truncated(int File, long Length) : DiskEvent;

    /// <summary>What was written to a file before is durable.</summary>
    public sealed record Flushed(int File) : DiskEvent;

    /// <summary>
    /// A flush failed: of what was written before nothing is known any more, and no later flush makes it durable, as
    /// kernels behave that drop the pages.
    /// </summary>
    public sealed record FlushFailed(int File) : DiskEvent;

    /// <summary>The process was killed; what it had written is in the cache.</summary>
    public sealed record ProcessEnded : DiskEvent;

    /// <summary>A file got another name; what had it lost it.</summary>
    public sealed record Renamed(string From, string To) : DiskEvent;

    /// <summary>A name went.</summary>
    public sealed record Deleted(string Path) : DiskEvent;

    /// <summary>What happened to names in a directory before is durable.</summary>
    public sealed record DirectoryFlushed(string Path) : DiskEvent;

    /// <summary>Somebody outside was told something, or the store did something.</summary>
    public sealed record Noted(Fact Fact) : DiskEvent;
}
