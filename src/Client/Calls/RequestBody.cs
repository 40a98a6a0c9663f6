using System.Net;
using System.Net.Http.Headers;
using Ingest.Protocol;

namespace Ingest.Client.Calls;

/// <summary>
/// A request body that is written from outside, for as long as the call goes on: HttpClient lends its stream, and gets
/// it back when the request is complete.
/// </summary>
internal sealed class RequestBody : HttpContent
{
    private readonly TaskCompletionSource<Stream?> _stream =
        new(TaskCreationOptions.RunContinuationsAsynchronously);

    private readonly TaskCompletionSource _completed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public RequestBody() => Headers.ContentType = new MediaTypeHeaderValue(GrpcHeaders.ContentType);

    /// <summary>The stream to write to, once the connection stands; null when the call ended before.</summary>
    public Task<Stream?> StreamAsync => _stream.Task;

    /// <summary>Ends the request.</summary>
    public void Complete() => _completed.TrySetResult();

    /// <summary>The call has ended: there will be no stream, or it takes nothing more.</summary>
    public void End()
    {
        _stream.TrySetResult(null);
        // Not a result: that would end the request well, as if it were whole.
        _completed.TrySetCanceled();
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(
        Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        _stream.TrySetResult(stream);
        await _completed.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }
}
