using System.Buffers;

namespace Ingest.Server.Realtime;

/// <summary>
/// What .NET's WebSocket reads from and writes its control frames to; these take their turn among the frames of
/// updates.
/// </summary>
/// <param name="input">What the client sends.</param>
/// <param name="output">The way out.</param>
/// <param name="onDisposed">Called when the WebSocket lets go of it: closed, or given up.</param>
internal sealed class WebSocketTransport(Stream input, RealtimeOutput output, Action onDisposed) : Stream
{
    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        input.ReadAsync(buffer, cancellationToken);

    // A frame comes in one write.
    public override async ValueTask WriteAsync(
        ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        await output.EnterAsync(cancellationToken);
        try
        {
            if (!output.IsClosed)
            {
                output.Pipe.Write(buffer.Span);
            }

            if (output.IsClosed || !await output.FlushAsync())
            {
                throw new IOException("The client is gone.");
            }
        }
        finally
        {
            output.Exit();
        }
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override void Flush()
    {
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        onDisposed();
    }
}
