namespace Ingest.Server.Tests.Http2;

/// <summary>What has come of one stream.</summary>
internal sealed class RawResponse
{
    /// <summary>Headers, and trailers, as <c>name: value</c>.</summary>
    public List<string> Fields { get; } = [];

    public List<byte> Body { get; } = [];

    /// <summary>Header blocks.</summary>
    public int Blocks { get; set; }

    public int DataFrames { get; set; }

    public int LargestDataFrame { get; set; }

    public bool Ended { get; set; }

    public RawError? ResetBy { get; set; }

    /// <summary>Whether nothing more will come.</summary>
    public bool IsOver => Ended || ResetBy is not null;

    public string? this[string name] => Fields
        .Where(field => field.StartsWith(name + ": ", StringComparison.Ordinal))
        .Select(field => field[(name.Length + 2)..])
        .LastOrDefault();
}
