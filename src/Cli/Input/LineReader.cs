using System.Buffers;

namespace Ingest.Cli.Input;

/// <summary>
/// Cuts a stream of bytes into lines without copying them. A line is valid until the next read. Lines end with LF or
/// CR LF; the last one may end with neither; a UTF-8 byte order mark at the start is left out.
/// </summary>
/// <remarks>For one thread. Holds one pooled buffer, 256 KiB at first and at most twice the longest line.</remarks>
internal sealed class LineReader : IDisposable
{
    /// <summary>The longest line that is read, in bytes.</summary>
    public const int MaxLineBytes = 16 * 1024 * 1024;

    private const int InitialBufferBytes = 256 * 1024;
    private const int MaxQuotedRecordBytes = 1024 * 1024;

    private readonly Stream _stream;
    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(InitialBufferBytes);
    private int _start;
    private int _end;
    private bool _ended;
    private long _nextLine = 1;

    public LineReader(Stream stream)
    {
        _stream = stream;
        while (_end < 3 && Fill())
        {
        }
        if (_buffer.AsSpan(0, _end).StartsWith("\uFEFF"u8))
        {
            _start = 3;
        }
    }

    /// <summary>Number of the first line of what was read last, from 1.</summary>
    public long Line { get; private set; }

    /// <summary>The next line, which stays where it is: what a format is told by. Empty at the end.</summary>
    public ReadOnlySpan<byte> Peek()
    {
        var length = FindLineEnd(0);
        return length < 0 ? default : WithoutCarriageReturn(_buffer.AsSpan(_start, length));
    }

    /// <summary>Reads the next line, without its end. False at the end of the stream.</summary>
    /// <exception cref="InvalidDataException">A line is longer than <see cref="MaxLineBytes"/>.</exception>
    public bool TryRead(out ReadOnlySpan<byte> line)
    {
        var length = FindLineEnd(0);
        if (length < 0)
        {
            line = default;
            return false;
        }
        line = Take(length, 1);
        return true;
    }

    /// <summary>
    /// Reads the next CSV record, which goes on over line ends within quotes (RFC 4180, section 2, rule 6). When a
    /// quote is never closed, the record is the first line alone, so that one bad line does not take the rest with it.
    /// </summary>
    public bool TryReadRecord(out ReadOnlySpan<byte> record)
    {
        var first = FindLineEnd(0);
        if (first < 0)
        {
            record = default;
            return false;
        }
        var length = first;
        var lines = 1;
        var quotes = _buffer.AsSpan(_start, length).Count((byte)'"');
        while ((quotes & 1) != 0)
        {
            var next = length + 1;
            var end = length < MaxQuotedRecordBytes && next < _end - _start + 1 ? FindLineEnd(next) : -1;
            if (end < 0)
            {
                length = first;
                lines = 1;
                break;
            }
            quotes += _buffer.AsSpan(_start + next, end - next).Count((byte)'"');
            length = end;
            lines++;
        }
        record = Take(length, lines);
        return true;
    }

    public void Dispose()
    {
        if (_buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = [];
        }
        _stream.Dispose();
    }

    /// <summary>Where the line that begins at an offset ends, from the start of what is buffered; -1 for none.</summary>
    private int FindLineEnd(int from)
    {
        var scanned = from;
        while (true)
        {
            var available = _end - _start;
            if (scanned < available)
            {
                var found = _buffer.AsSpan(_start + scanned, available - scanned).IndexOf((byte)'\n');
                if (found >= 0)
                {
                    return scanned + found;
                }
                scanned = available;
            }
            if (!Fill())
            {
                return scanned > from ? scanned : -1;
            }
        }
    }

    private ReadOnlySpan<byte> Take(int length, int lines)
    {
        var line = _buffer.AsSpan(_start, length);
        _start = Math.Min(_start + length + 1, _end);
        Line = _nextLine;
        _nextLine += lines;
        return WithoutCarriageReturn(line);
    }

    private static ReadOnlySpan<byte> WithoutCarriageReturn(ReadOnlySpan<byte> line) =>
        line.EndsWith("\r"u8) ? line[..^1] : line;

    private bool Fill()
    {
        if (_ended)
        {
            return false;
        }
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            _end -= _start;
            _start = 0;
        }
        if (_end == _buffer.Length)
        {
            Grow();
        }
        var read = _stream.Read(_buffer, _end, _buffer.Length - _end);
        _end += read;
        _ended = read == 0;
        return read > 0;
    }

    private void Grow()
    {
        if (_buffer.Length >= MaxLineBytes)
        {
            throw new InvalidDataException($"line {_nextLine} is longer than {MaxLineBytes >> 20} MiB");
        }
        var larger = ArrayPool<byte>.Shared.Rent(_buffer.Length * 2);
        _buffer.AsSpan(0, _end).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = larger;
    }
}
