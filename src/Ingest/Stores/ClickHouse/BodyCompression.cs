namespace Ingest.Stores.ClickHouse;

/// <summary>How the bodies of inserts are compressed.</summary>
internal static class BodyCompression
{
    /// <summary>Bytes go as they are: on a fast network the quickest.</summary>
    public const string None = "none";

    /// <summary>Content-Encoding gzip, fastest level.</summary>
    public const string Gzip = "gzip";

    /// <summary>What is wrong with a value, or null.</summary>
    public static string? Fault(string value) => value switch
    {
        None or Gzip => null,
        "lz4" or "zstd" => $"is '{value}', for which .NET has no codec and no package is in reach; none or gzip is expected.",
        _ => $"is '{value}'; none or gzip is expected.",
    };
}
