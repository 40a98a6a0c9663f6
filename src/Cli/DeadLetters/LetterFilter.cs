using System.Globalization;

namespace Ingest.Cli.DeadLetters;

/// <summary>Which dead letters are meant.</summary>
/// <param name="Ids">Their ids, or the beginnings of them; none for all.</param>
/// <param name="Table">Their table; null for all.</param>
/// <param name="Reason">What their reason contains, whatever the case; null for all.</param>
/// <param name="Since">When they came, at the earliest; null for all.</param>
internal sealed record LetterFilter(
    IReadOnlyList<string> Ids, string? Table, string? Reason, DateTimeOffset? Since)
{
    /// <summary>Whether it leaves nothing out.</summary>
    public bool IsAll => Ids.Count == 0 && Table is null && Reason is null && Since is null;

    /// <summary>Reads a time: <c>30m</c>, <c>6h</c>, <c>2d</c> ago, or a time of ISO 8601.</summary>
    /// <exception cref="UsageException">It is neither.</exception>
    public static DateTimeOffset ParseSince(string text, DateTimeOffset now) =>
        TryParseSince(text, now) ?? throw new UsageException($"'{text}' is no time; 2h and 2026-01-31T19:30:00Z are.");

    /// <summary>Reads such a time; null when it is none.</summary>
    public static DateTimeOffset? TryParseSince(string text, DateTimeOffset now)
    {
        if (text.Length > 1 && double.TryParse(
            text.AsSpan(0, text.Length - 1), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var count))
        {
            switch (text[^1])
            {
                case 's':
                    return now.AddSeconds(-count);
                case 'm':
                    return now.AddMinutes(-count);
                case 'h':
                    return now.AddHours(-count);
                case 'd':
                    return now.AddDays(-count);
            }
        }
        return DateTimeOffset.TryParse(
            text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null;
    }

    /// <summary>The condition in SQL.</summary>
    /// <exception cref="UsageException">An id is none.</exception>
    public string ToSql()
    {
        var conditions = new List<string> { "1" };
        if (Ids.Count > 0)
        {
            conditions.Add("(" + string.Join(" OR ", Ids.Select(id => $"startsWith(id, '{CheckId(id)}')")) + ")");
        }
        if (Table is not null)
        {
            conditions.Add($"`table` = {Literal(Table)}");
        }
        if (Reason is not null)
        {
            conditions.Add($"positionCaseInsensitiveUTF8(reason, {Literal(Reason)}) > 0");
        }
        if (Since is not null)
        {
            conditions.Add(string.Create(
                CultureInfo.InvariantCulture,
                $"received_at >= fromUnixTimestamp64Milli(toInt64({Since.Value.ToUnixTimeMilliseconds()}))"));
        }
        return string.Join(" AND ", conditions);
    }

    private static string CheckId(string id) => id.Length is >= 4 and <= 16 && id.All(char.IsAsciiHexDigitLower)
        ? id
        : throw new UsageException($"'{id}' is no id of a dead letter: 4 to 16 of 0-9 and a-f, as list shows them.");

    private static string Literal(string text) =>
        $"'{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "\\'", StringComparison.Ordinal)}'";
}
