namespace Ingest.Protocol;

/// <summary>Names of the trailers that ingest.v1 itself defines.</summary>
public static class IngestTrailers
{
    /// <summary>How many rows of a stream that ended early are durable, decimal.</summary>
    public const string AcceptedCount = "ingest-accepted-count";
}
