using System.Globalization;
using Ingest.V1;

namespace Ingest.Server.Realtime;

/// <summary>
/// The words of the JSON messages and of query parameters for the enums of the wire: <c>drop_oldest</c>.
/// </summary>
internal static class RealtimeWords
{
    private static readonly Dictionary<string, OverflowPolicy> s_policies = new(StringComparer.OrdinalIgnoreCase)
    {
        ["block"] = OverflowPolicy.Block,
        ["drop_oldest"] = OverflowPolicy.DropOldest,
        ["conflate"] = OverflowPolicy.Conflate,
        ["disconnect"] = OverflowPolicy.Disconnect,
    };

    private static readonly Dictionary<string, StartPosition> s_positions = new(StringComparer.OrdinalIgnoreCase)
    {
        ["new"] = StartPosition.New,
        ["earliest"] = StartPosition.Earliest,
        ["last_per_key"] = StartPosition.LastPerKey,
    };

    /// <summary>The word of a policy.</summary>
    public static string Of(OverflowPolicy policy) => policy switch
    {
        OverflowPolicy.Block => "block",
        OverflowPolicy.DropOldest => "drop_oldest",
        OverflowPolicy.Conflate => "conflate",
        _ => "disconnect",
    };

    /// <summary>The word of a reason.</summary>
    public static string Of(GapReason reason) => reason switch
    {
        GapReason.Dropped => "dropped",
        GapReason.Conflated => "conflated",
        GapReason.Expired => "expired",
        GapReason.Epoch => "epoch",
        _ => "unspecified",
    };

    /// <summary>The policy of a word.</summary>
    /// <returns>What is wrong, or null.</returns>
    public static string? ReadPolicy(string word, out OverflowPolicy policy) =>
        s_policies.TryGetValue(word, out policy)
            ? null
            : $"'{word}' is no overflow policy; {string.Join(", ", s_policies.Keys)} are.";

    /// <summary>The place of a word, or a time.</summary>
    /// <returns>What is wrong, or null.</returns>
    public static string? ReadPlace(string word, out StartPosition position, out DateTimeOffset? time)
    {
        time = null;
        if (s_positions.TryGetValue(word, out position))
        {
            return null;
        }

        if (DateTimeOffset.TryParse(
            word, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal,
            out DateTimeOffset at))
        {
            time = at;
            return null;
        }

        return $"'{word}' is no place to start; {string.Join(", ", s_positions.Keys)} and times such as "
            + "2026-01-31T12:00:00Z are.";
    }
}
