using Ingest.Log;
using Microsoft.Win32.SafeHandles;

namespace Ingest.Stores;

/// <summary>Reads the bytes of a segment from its file, in order.</summary>
/// <remarks>
/// The file was written a moment ago, so its bytes are in the page cache as a rule and a read is one copy from there:
/// it does not wait.
/// </remarks>
internal sealed class SegmentReader : IDisposable
{
    private readonly SealedSegment _segment;
    private readonly SafeFileHandle _file;
    private long _position;

    private SegmentReader(SealedSegment segment, SafeFileHandle file)
    {
        _segment = segment;
        _file = file;
    }

    /// <summary>Opens the file.</summary>
    /// <exception cref="StoreException">It cannot be opened.</exception>
    public static SegmentReader Open(SealedSegment segment)
    {
        try
        {
            return new SegmentReader(
                segment, File.OpenHandle(segment.Path, share: FileShare.ReadWrite, options: FileOptions.SequentialScan));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unreadable(segment, e);
        }
    }

    /// <summary>Reads what fits into the buffer; 0 at the segment's end.</summary>
    /// <exception cref="StoreException">The file cannot be read, or is shorter than the segment.</exception>
    public int Read(Span<byte> buffer)
    {
        long left = _segment.Length - _position;
        if (left == 0)
        {
            return 0;
        }

        int read;
        try
        {
            read = RandomAccess.Read(_file, buffer[..(int)Math.Min(buffer.Length, left)], _position);
        }
        catch (IOException e)
        {
            throw Unreadable(_segment, e);
        }

        if (read == 0)
        {
            throw new StoreException($"Segment {_segment.Path} ends {left} bytes early.", StoreFault.BadData);
        }

        _position += read;
        return read;
    }

    /// <summary>Fills the buffer with bytes of the segment from a place on; reads in order are not moved by it.</summary>
    /// <exception cref="StoreException">The file cannot be read, or is shorter than the segment.</exception>
    public void ReadAt(Span<byte> buffer, long offset)
    {
        while (!buffer.IsEmpty)
        {
            int read;
            try
            {
                read = RandomAccess.Read(_file, buffer, offset);
            }
            catch (IOException e)
            {
                throw Unreadable(_segment, e);
            }

            if (read == 0)
            {
                throw new StoreException($"Segment {_segment.Path} ends before {offset}.", StoreFault.BadData);
            }

            buffer = buffer[read..];
            offset += read;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private static StoreException Unreadable(SealedSegment segment, Exception e) =>
        new($"Segment {segment.Path} cannot be read: {e.Message}", StoreFault.Unavailable, e);
}
