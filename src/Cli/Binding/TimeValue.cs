using System.Buffers.Text;
using Google.Protobuf.WellKnownTypes;

namespace Ingest.Cli.Binding;

/// <summary>
/// A time as a file writes it: Unix time in seconds (also with a fraction), milli-, micro- or nanoseconds (told by the
/// number of digits), ISO 8601 (`T` or a space between, `/` for `-`, with a zone or without), or a date and a time of
/// day in columns of their own. Microseconds are kept.
/// </summary>
internal struct TimeValue
{
    private const long MicrosPerSecond = 1_000_000;
    private const long MicrosPerDay = 86_400 * MicrosPerSecond;

    private long? _instant;
    private long? _day;
    private long? _timeOfDay;
    private long? _zone;

    /// <summary>Whether the file said only a time of day, with no date.</summary>
    public readonly bool IsTimeOfDay => _timeOfDay is not null && _day is null;

    /// <summary>Takes a column: a whole time, a date or a time of day. False when it is none of them.</summary>
    public bool TrySet(ReadOnlySpan<byte> text)
    {
        text = text.Trim((byte)' ');
        if (text.Length >= 8 && text[4] is (byte)'-' or (byte)'/')
        {
            return TrySetIso(text);
        }
        return text.Length >= 4 && (text[1] == ':' || text[2] == ':') ? TrySetTimeOfDay(text) : TrySetUnix(text);
    }

    /// <summary>The time in Unix microseconds; false when the date is missing.</summary>
    public readonly bool TryResolve(BindingOptions options, out long micros)
    {
        if (_instant is { } instant)
        {
            micros = instant;
            return true;
        }
        var day = _day ?? (_timeOfDay is null ? null : ToDay(options.Date));
        if (day is null)
        {
            micros = 0;
            return false;
        }
        var zone = _zone ?? (options.UtcOffset ?? TimeSpan.Zero).Ticks / TimeSpan.TicksPerMicrosecond;
        micros = (day.Value * MicrosPerDay) + (_timeOfDay ?? 0) - zone;
        return true;
    }

    /// <summary>Writes Unix microseconds into a timestamp.</summary>
    public static void Store(long micros, Timestamp timestamp)
    {
        var seconds = Math.DivRem(micros, MicrosPerSecond, out var rest);
        timestamp.Seconds = rest < 0 ? seconds - 1 : seconds;
        timestamp.Nanos = (int)(rest < 0 ? rest + MicrosPerSecond : rest) * 1000;
    }

    private static long? ToDay(DateOnly? date) =>
        date is { } day ? day.DayNumber - DateOnly.FromDateTime(DateTime.UnixEpoch).DayNumber : null;

    private bool TrySetUnix(ReadOnlySpan<byte> text)
    {
        if (Utf8Parser.TryParse(text, out long whole, out var used) && used == text.Length)
        {
            // 1e11 seconds is the year 5138, 1e11 milliseconds is 1973: no time that we take reads two ways.
            _instant = Math.Abs(whole) switch
            {
                < 100_000_000_000 => whole * MicrosPerSecond,
                < 100_000_000_000_000 => whole * 1000,
                < 100_000_000_000_000_000 => whole,
                _ => whole / 1000,
            };
            return true;
        }
        if (Utf8Parser.TryParse(text, out decimal seconds, out used) && used == text.Length
            && Math.Abs(seconds) < 100_000_000_000m)
        {
            _instant = (long)(seconds * MicrosPerSecond);
            return true;
        }
        return false;
    }

    private bool TrySetIso(ReadOnlySpan<byte> text)
    {
        if (!TryDigits(text, 4, out var year) || !TrySkip(ref text, 4) || !TryShort(ref text, out var month)
            || text.IsEmpty || text[0] is not ((byte)'-' or (byte)'/') || !TrySkip(ref text, 0)
            || !TryShort(ref text, out var day)
            || year < 1 || month is < 1 or > 12 || day < 1 || day > DateTime.DaysInMonth(year, month))
        {
            return false;
        }
        _day = ToDay(new DateOnly(year, month, day));
        if (text.IsEmpty)
        {
            return true;
        }
        return text[0] is (byte)' ' or (byte)'T' or (byte)'t' && TrySetTimeOfDay(text[1..]);
    }

    private bool TrySetTimeOfDay(ReadOnlySpan<byte> text)
    {
        if (!TryShort(ref text, out var hour) || text.IsEmpty || text[0] != ':' || !TrySkip(ref text, 0)
            || !TryDigits(text, 2, out var minute))
        {
            return false;
        }
        text = text[2..];
        var second = 0;
        var micros = 0L;
        if (!text.IsEmpty && text[0] == ':')
        {
            if (!TryDigits(text[1..], 2, out second))
            {
                return false;
            }
            text = text[3..];
            micros = TakeFraction(ref text);
        }
        if (hour > 23 || minute > 59 || second > 60)
        {
            return false;
        }
        _timeOfDay = ((((hour * 60L) + minute) * 60) + second) * MicrosPerSecond + micros;
        return text.IsEmpty || TrySetZone(text);
    }

    private static long TakeFraction(ref ReadOnlySpan<byte> text)
    {
        if (text.IsEmpty || text[0] is not ((byte)'.' or (byte)','))
        {
            return 0;
        }
        var micros = 0L;
        var digits = 1;
        for (; digits < text.Length && text[digits] is >= (byte)'0' and <= (byte)'9'; digits++)
        {
            micros = digits <= 6 ? (micros * 10) + text[digits] - '0' : micros;
        }
        for (var given = digits - 1; given < 6; given++)
        {
            micros *= 10;
        }
        text = text[digits..];
        return micros;
    }

    private bool TrySetZone(ReadOnlySpan<byte> text)
    {
        text = text.TrimStart((byte)' ');
        if (text.SequenceEqual("Z"u8) || text.SequenceEqual("z"u8) || text.SequenceEqual("UTC"u8))
        {
            _zone = 0;
            return true;
        }
        if (text.Length < 3 || text[0] is not ((byte)'+' or (byte)'-') || !TryDigits(text[1..], 2, out var hours))
        {
            return false;
        }
        var rest = text[3..];
        rest = !rest.IsEmpty && rest[0] == ':' ? rest[1..] : rest;
        var minutes = 0;
        if (!rest.IsEmpty && (rest.Length != 2 || !TryDigits(rest, 2, out minutes)))
        {
            return false;
        }
        var seconds = ((hours * 60L) + minutes) * 60;
        _zone = (text[0] == '-' ? -seconds : seconds) * MicrosPerSecond;
        return hours <= 18 && minutes <= 59;
    }

    /// <summary>Leaves out some digits and the separator behind them.</summary>
    private static bool TrySkip(ref ReadOnlySpan<byte> text, int digits)
    {
        if (text.Length <= digits)
        {
            return false;
        }
        text = text[(digits + 1)..];
        return true;
    }

    /// <summary>One or two digits.</summary>
    private static bool TryShort(ref ReadOnlySpan<byte> text, out int value)
    {
        if (TryDigits(text, 2, out value))
        {
            text = text[2..];
            return true;
        }
        if (TryDigits(text, 1, out value))
        {
            text = text[1..];
            return true;
        }
        return false;
    }

    private static bool TryDigits(ReadOnlySpan<byte> text, int count, out int value)
    {
        value = 0;
        if (text.Length < count)
        {
            return false;
        }
        foreach (var digit in text[..count])
        {
            if (digit is < (byte)'0' or > (byte)'9')
            {
                return false;
            }
            value = (value * 10) + digit - '0';
        }
        return true;
    }
}
