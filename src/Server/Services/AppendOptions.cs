namespace Ingest.Server.Services;

/// <summary>Settings of Append, the sessions of producers.</summary>
public sealed record AppendOptions
{
    /// <summary>
    /// Bytes of serialized requests that a session may have on their way to the disk; default 4 MiB. What exceeds it is
    /// refused in band.
    /// </summary>
    public long CreditBytes { get; init; } = 4 * 1024 * 1024;

    /// <summary>Largest request in bytes; default 4 MiB. A larger one is refused in band.</summary>
    public int MaxRequestBytes { get; init; } = 4 * 1024 * 1024;

    /// <summary>How long a client may leave responses unread before its session ends; default 30 s.</summary>
    public TimeSpan UnreadTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long sessions go on after they were told that the server is about to stop; default 2 s.</summary>
    public TimeSpan DrainDelay { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>What is wrong with the settings, one sentence each that begins with the setting's name.</summary>
    /// <param name="maxMessageBytes">The transport's limit of a message.</param>
    public IEnumerable<string> Validate(int maxMessageBytes)
    {
        if (MaxRequestBytes <= 0 || MaxRequestBytes > maxMessageBytes)
        {
            yield return $"{nameof(MaxRequestBytes)} is {MaxRequestBytes}; 1 to Ingest:Grpc:MaxMessageBytes, "
                + $"{maxMessageBytes}, is valid.";
        }

        if (CreditBytes < MaxRequestBytes)
        {
            yield return $"{nameof(CreditBytes)} is {CreditBytes}, less than {nameof(MaxRequestBytes)}, "
                + $"{MaxRequestBytes}: such a request could never be sent.";
        }

        if (UnreadTimeout <= TimeSpan.Zero)
        {
            yield return $"{nameof(UnreadTimeout)} is {UnreadTimeout}; it has to be positive.";
        }

        if (DrainDelay < TimeSpan.Zero)
        {
            yield return $"{nameof(DrainDelay)} is {DrainDelay}; it cannot be negative.";
        }
    }
}
