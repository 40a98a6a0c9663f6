namespace Ingest.Protocol;

/// <summary>Names of the trailers that ingest.v1 itself defines.</summary>
public static class IngestTrailers
{
    /// <summary>How many rows of a stream that ended early are durable, decimal.</summary>
    public const string AcceptedCount = "ingest-accepted-count";

    /// <summary>Where a subscription that ended goes on: its cursor after the last item that was sent.</summary>
    public const string ResumeToken = "ingest-resume-token";
}
