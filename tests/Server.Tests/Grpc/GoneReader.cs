using System.IO.Pipelines;

namespace Ingest.Server.Tests.Grpc;

/// <summary>A reader whose call was aborted before the read: Kestrel's throws at once, not by the task.</summary>
internal sealed class GoneReader : PipeReader
{
    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default) =>
        throw new IOException("The client reset the request stream.");

    public override bool TryRead(out ReadResult result) => throw new NotSupportedException();

    public override void AdvanceTo(SequencePosition consumed) => throw new NotSupportedException();

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined) =>
        throw new NotSupportedException();

    public override void CancelPendingRead()
    {
    }

    public override void Complete(Exception? exception = null)
    {
    }
}
