using System.Globalization;

namespace Ingest.Protocol;

/// <summary>
/// The header <c>grpc-timeout</c>: at most 8 digits and a unit, <c>H M S m u n</c> for hours, minutes, seconds,
/// milliseconds, microseconds and nanoseconds.
/// </summary>
public static class GrpcTimeout
{
    private const int MaxDigits = 8;
    private const long MaxValue = 99_999_999;

    /// <summary>Reads a timeout.</summary>
    /// <param name="text">The header's value.</param>
    /// <param name="timeout">The time; nanoseconds are rounded up to 100 ns.</param>
    /// <returns>False when the text is malformed.</returns>
    public static bool TryParse(ReadOnlySpan<char> text, out TimeSpan timeout)
    {
        timeout = default;
        if (text.Length is < 2 or > MaxDigits + 1
            || !long.TryParse(text[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out var value))
        {
            return false;
        }

        long ticks;
        switch (text[^1])
        {
            case 'H': ticks = value * TimeSpan.TicksPerHour; break;
            case 'M': ticks = value * TimeSpan.TicksPerMinute; break;
            case 'S': ticks = value * TimeSpan.TicksPerSecond; break;
            case 'm': ticks = value * TimeSpan.TicksPerMillisecond; break;
            case 'u': ticks = value * TimeSpan.TicksPerMicrosecond; break;
            case 'n': ticks = DivideUp(value, TimeSpan.NanosecondsPerTick); break;
            default: return false;
        }

        timeout = new TimeSpan(ticks);
        return true;
    }

    /// <summary>Writes a timeout in the finest unit that 8 digits can hold, rounded up.</summary>
    /// <param name="timeout">The time; below zero counts as zero.</param>
    public static string Format(TimeSpan timeout)
    {
        var ticks = Math.Max(0, timeout.Ticks);
        if (ticks <= MaxValue / TimeSpan.NanosecondsPerTick)
        {
            return Text(ticks * TimeSpan.NanosecondsPerTick, 'n');
        }

        ReadOnlySpan<(long Ticks, char Unit)> units =
        [
            (TimeSpan.TicksPerMicrosecond, 'u'), (TimeSpan.TicksPerMillisecond, 'm'), (TimeSpan.TicksPerSecond, 'S'),
            (TimeSpan.TicksPerMinute, 'M'),
        ];
        foreach (var (perUnit, unit) in units)
        {
            var value = DivideUp(ticks, perUnit);
            if (value <= MaxValue)
            {
                return Text(value, unit);
            }
        }

        return Text(Math.Min(MaxValue, DivideUp(ticks, TimeSpan.TicksPerHour)), 'H');
    }

    private static long DivideUp(long value, long divisor) => value / divisor + (value % divisor == 0 ? 0 : 1);

    private static string Text(long value, char unit) => string.Create(CultureInfo.InvariantCulture, $"{value}{unit}");
}
