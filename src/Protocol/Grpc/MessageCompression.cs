namespace Ingest.Protocol;

/// <summary>The message encodings that both sides know, by their names in <c>grpc-encoding</c>.</summary>
public static class MessageCompression
{
    /// <summary>Messages as they are.</summary>
    public const string Identity = "identity";

    /// <summary>Each message a gzip stream of its own.</summary>
    public const string Gzip = "gzip";

    /// <summary>The value of <c>grpc-accept-encoding</c>.</summary>
    public const string Accepted = "identity,gzip";

    /// <summary>Whether a list such as <c>identity, gzip</c> names an encoding.</summary>
    public static bool Accepts(ReadOnlySpan<char> list, ReadOnlySpan<char> encoding)
    {
        foreach (var range in list.Split(','))
        {
            if (list[range].Trim().Equals(encoding, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return false;
    }
}
