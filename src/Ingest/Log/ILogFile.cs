namespace Ingest.Log;

/// <summary>An open file of the log. Every method throws <see cref="IOException"/> when the disk refuses.</summary>
/// <remarks>
/// A seam for tests that record or fail what reaches the disk; calls are per group of blocks, never per row. A file has
/// one writer at a time; <see cref="Flush"/> may run beside the flush of another file.
/// </remarks>
internal interface ILogFile : IDisposable
{
    /// <summary>Path of the file.</summary>
    string Path { get; }

    /// <summary>Length in bytes.</summary>
    long Length { get; }

    /// <summary>Writes the parts one behind the other at an offset, with as few system calls as there can be.</summary>
    void Write(IReadOnlyList<ReadOnlyMemory<byte>> parts, long offset);

    /// <summary>Reads until the buffer is full or the file ends; returns the bytes read.</summary>
    int Read(Span<byte> buffer, long offset);

    /// <summary>Cuts the file to a length.</summary>
    void Truncate(long length);

    /// <summary>Returns when everything written is on the medium. After a failure nothing is known of it.</summary>
    void Flush();
}
