namespace Ingest.Cli.Input;

/// <summary>A stream to read that tells how much was read, and that lets one look at its first two bytes.</summary>
internal sealed class CountingStream(Stream inner, Action<int> bytesRead) : Stream
{
    private readonly byte[] _head = new byte[2];
    private int _headStart;
    private int _headEnd;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Whether the stream begins with two bytes; to be asked before the first read.</summary>
    public bool StartsWith(byte first, byte second)
    {
        _headEnd = inner.ReadAtLeast(_head, _head.Length, throwOnEndOfStream: false);
        bytesRead(_headEnd);
        return _headEnd == 2 && _head[0] == first && _head[1] == second;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override int Read(Span<byte> buffer)
    {
        if (_headStart < _headEnd && buffer.Length > 0)
        {
            var head = Math.Min(_headEnd - _headStart, buffer.Length);
            _head.AsSpan(_headStart, head).CopyTo(buffer);
            _headStart += head;
            return head;
        }
        var read = inner.Read(buffer);
        bytesRead(read);
        return read;
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
        }
        base.Dispose(disposing);
    }
}
