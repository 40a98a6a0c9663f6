namespace Ingest.Admission;

/// <summary>Settings of what the server takes before it slows senders, and before it refuses.</summary>
public sealed record AdmissionOptions
{
    /// <summary>
    /// Bytes of memory of the process at which new rows are refused, about; default 0: three quarters of what the
    /// container or the machine has. Senders are slowed from 80 % of it on, and refused from 95 % on.
    /// </summary>
    public long MaxMemoryBytes { get; init; }

    /// <summary>
    /// Bytes that senders may make the server hold in buffers: rows that are not durable yet, and requests that have
    /// come in part; default 0: a quarter of the memory. Slowed and refused at the same shares of it.
    /// </summary>
    public long MaxBufferedBytes { get; init; }

    /// <summary>
    /// Bytes of columns that one request may become; default 64 MiB. A larger one is refused: two bytes on the wire can
    /// be a row of hundreds of empty columns.
    /// </summary>
    public long MaxRequestRowsBytes { get; init; } = 64L << 20;

    /// <summary>
    /// Bytes that a stream decodes before others have their turn; default 128 KiB. A sender has as many turns at a time
    /// as there are cores, over all its streams.
    /// </summary>
    public int TurnBytes { get; init; } = 128 * 1024;

    /// <summary>
    /// Longest pause before each turn of a sender that is slowed; default 200 ms. It grows from 0 to this between the
    /// mark of slowing and the mark of refusing, and is as much shorter as the sender sends less than its share.
    /// </summary>
    public TimeSpan MaxPause { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>What a refused sender is asked to wait before it tries again; default 1 s.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>What is wrong with the settings, one sentence each that begins with the setting's name.</summary>
    public IEnumerable<string> Validate()
    {
        foreach ((string name, long bytes) in new[]
        {
            (nameof(MaxMemoryBytes), MaxMemoryBytes), (nameof(MaxBufferedBytes), MaxBufferedBytes),
        })
        {
            if (bytes is < 0 or (> 0 and < 1 << 20))
            {
                yield return $"{name} is {bytes}; 0, or at least 1 MiB, is valid.";
            }
        }

        if (MaxRequestRowsBytes < 1 << 20)
        {
            yield return $"{nameof(MaxRequestRowsBytes)} is {MaxRequestRowsBytes}; at least 1 MiB is valid.";
        }

        if (TurnBytes < 4096)
        {
            yield return $"{nameof(TurnBytes)} is {TurnBytes}; at least 4096 is valid.";
        }

        if (MaxPause < TimeSpan.Zero || MaxPause > TimeSpan.FromMinutes(1))
        {
            yield return $"{nameof(MaxPause)} is {MaxPause}; 0 to 1 minute is valid.";
        }

        if (RetryDelay <= TimeSpan.Zero)
        {
            yield return $"{nameof(RetryDelay)} is {RetryDelay}; it has to be positive.";
        }
    }
}
