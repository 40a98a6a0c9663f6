namespace Ingest.Topics;

/// <summary>Times as updates have them: Unix microseconds.</summary>
internal static class UnixMicros
{
    /// <summary>A time in Unix microseconds, cut off.</summary>
    public static long Of(DateTimeOffset time) =>
        (time - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
}
