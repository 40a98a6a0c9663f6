using System.Buffers;
using System.IO.Pipelines;

namespace Ingest.Server.Http2;

/// <summary>A connection behind middleware: TLS, connection logging, or a listener that is not ours.</summary>
internal sealed class PipeWire(IDuplexPipe transport) : Wire
{
    private readonly PipeReader _input = transport.Input;
    private readonly PipeWriter _output = transport.Output;

    /// <inheritdoc/>
    public override int TryReceive(Span<byte> target)
    {
        if (!_input.TryRead(out ReadResult read))
        {
            return Nothing;
        }

        ReadOnlySequence<byte> part = read.Buffer.Slice(0, Math.Min(read.Buffer.Length, target.Length));
        part.CopyTo(target);
        var count = (int)part.Length;
        _input.AdvanceTo(part.End);
        return count > 0 || read.IsCompleted || read.IsCanceled ? count : Nothing;
    }

    /// <inheritdoc/>
    public override async ValueTask<int> WaitToReceiveAsync()
    {
        ReadResult read = await _input.ReadAsync();

        // Nothing is examined, so that it is still there for the read that follows.
        _input.AdvanceTo(read.Buffer.Start, read.Buffer.Start);
        if (read.IsCanceled)
        {
            _input.CancelPendingRead();
        }

        return 0;
    }

    /// <inheritdoc/>
    public override async ValueTask<int> SendAsync(ReadOnlyMemory<byte> bytes)
    {
        FlushResult flush = await _output.WriteAsync(bytes);
        return flush.IsCompleted ? throw new IOException("The connection broke.") : bytes.Length;
    }

    /// <inheritdoc/>
    public override void Shutdown() => _input.CancelPendingRead();
}
