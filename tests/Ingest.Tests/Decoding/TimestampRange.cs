using Google.Protobuf.WellKnownTypes;

namespace Ingest.Tests.Decoding;

/// <summary>What times can be said, by protobuf and by a column.</summary>
internal static class TimestampRange
{
    private static readonly long s_engineMin =
        new DateTimeOffset(1900, 1, 1, 0, 0, 0, TimeSpan.Zero).ToUnixTimeSeconds();
    private static readonly long s_engineMax =
        new DateTimeOffset(2299, 12, 31, 23, 59, 59, TimeSpan.Zero).ToUnixTimeSeconds();

    /// <summary>From year 1 to 9999, as google/protobuf/timestamp.proto says.</summary>
    public static bool Fits(Timestamp time) =>
        time.Seconds is >= -62_135_596_800 and <= 253_402_300_799 && time.Nanos is >= 0 and < 1_000_000_000;

    /// <summary>From 1900 to 2299, as ClickHouse's DateTime64 says.</summary>
    public static bool FitsColumn(Timestamp time) =>
        time.Seconds >= s_engineMin && time.Seconds <= s_engineMax && time.Nanos is >= 0 and < 1_000_000_000;

    /// <summary>10,000 years and one sign, as google/protobuf/duration.proto says.</summary>
    public static bool Fits(Duration span) =>
        span.Seconds is >= -315_576_000_000 and <= 315_576_000_000
        && span.Nanos is > -1_000_000_000 and < 1_000_000_000
        && Math.Sign(span.Seconds) * Math.Sign(span.Nanos) >= 0;
}
