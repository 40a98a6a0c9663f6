namespace Ingest.Client;

/// <summary>How an <see cref="IngestStream{TRow}"/> gathers rows before it sends them.</summary>
public sealed record StreamOptions
{
    /// <summary>The most rows of one request message. Default 1,000.</summary>
    public int MaxBatchRows { get; init; } = 1_000;

    /// <summary>
    /// The most bytes of one request message; a single row may be larger. Default 64 KiB. It has to stay below what
    /// the server takes (16 MiB by default).
    /// </summary>
    public int MaxBatchBytes { get; init; } = 64 * 1024;

    /// <summary>
    /// How long a row may wait for others before it is sent. Default 5 ms; zero sends as soon as the connection is
    /// ready for more.
    /// </summary>
    public TimeSpan Linger { get; init; } = TimeSpan.FromMilliseconds(5);

    /// <summary>
    /// The most bytes that wait to be sent, plus one batch; beyond, <see cref="IngestStream{TRow}.WriteAsync"/> waits
    /// for the server. Default 4 MiB.
    /// </summary>
    public int MaxBufferedBytes { get; init; } = 4 * 1024 * 1024;
}
