using System.Buffers;
using System.Buffers.Text;
using System.IO.Pipelines;
using Ingest.Protocol;

namespace Ingest.Server.Grpc;

/// <summary>Decodes the base64 body of a gRPC-Web request while it arrives.</summary>
/// <remarks>
/// The body is one base64 text or several in a row, each padded. A cold path: browsers send one small message. Holds at
/// most <see cref="BufferBytes"/> decoded bytes before it stops reading.
/// </remarks>
internal sealed class WebTextBody : IAsyncDisposable
{
    private const int BufferBytes = 64 * 1024;
    private const int QuadBytes = 4;

    private readonly Pipe _pipe = new(new PipeOptions(pauseWriterThreshold: BufferBytes,
        resumeWriterThreshold: BufferBytes / 2, useSynchronizationContext: false));

    private readonly PipeReader _body;
    private readonly CancellationTokenSource _stopped = new();
    private readonly Task _pump;

    public WebTextBody(PipeReader body)
    {
        _body = body;
        _pump = PumpAsync();
    }

    /// <summary>The decoded body.</summary>
    public PipeReader Reader => _pipe.Reader;

    /// <summary>Stops reading; the body is not used afterwards.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopped.CancelAsync();
        await _pipe.Reader.CompleteAsync();
        await _pump;
        _stopped.Dispose();
    }

    private async Task PumpAsync()
    {
        Exception? error = null;
        try
        {
            while (true)
            {
                var read = await _body.ReadAsync(_stopped.Token);
                var whole = read.Buffer.Slice(0, read.Buffer.Length / QuadBytes * QuadBytes);
                var valid = TryDecode(whole) && (!read.IsCompleted || whole.Length == read.Buffer.Length);
                _body.AdvanceTo(whole.End, read.Buffer.End);
                if (!valid)
                {
                    throw new RpcException(StatusCode.Internal, "The request body is not base64.");
                }

                var flush = await _pipe.Writer.FlushAsync(_stopped.Token);
                if (read.IsCompleted || flush.IsCompleted)
                {
                    break;
                }
            }
        }
        catch (Exception caught)
        {
            error = caught;
        }

        await _pipe.Writer.CompleteAsync(error);
    }

    private bool TryDecode(ReadOnlySequence<byte> text)
    {
        var rented = ArrayPool<byte>.Shared.Rent((int)text.Length);
        text.CopyTo(rented);
        var rest = rented.AsSpan(0, (int)text.Length);
        var valid = true;
        while (valid && !rest.IsEmpty)
        {
            // A padded quad ends one text; what follows is another one.
            var padding = rest.IndexOf((byte)'=');
            var part = padding < 0 ? rest.Length : padding / QuadBytes * QuadBytes + QuadBytes;
            var target = _pipe.Writer.GetSpan(Base64.GetMaxDecodedFromUtf8Length(part));
            valid = Base64.DecodeFromUtf8(rest[..part], target, out _, out var written) == OperationStatus.Done;
            _pipe.Writer.Advance(written);
            rest = rest[part..];
        }

        ArrayPool<byte>.Shared.Return(rented);
        return valid;
    }
}
