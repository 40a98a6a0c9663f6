using System.Security.Cryptography;

namespace Ingest.Topics;

/// <summary>
/// Names of epochs: 12 hexadecimal digits, the seconds of the Unix time at which it began and 16 random bits.
/// </summary>
internal static class TopicEpoch
{
    /// <summary>A name that no epoch had before.</summary>
    public static string Create(TimeProvider time)
    {
        var seconds = (uint)time.GetUtcNow().ToUnixTimeSeconds();
        return $"{seconds:x8}{RandomNumberGenerator.GetInt32(1 << 16):x4}";
    }
}
