using Ingest.Server.Http2.Hpack;

namespace Ingest.Server.Tests.Http2.Hpack;

/// <summary>The fields of a header block as they came.</summary>
internal readonly struct HeaderList() : IHeaderSink
{
    public List<(HeaderName Name, string? Value)> Fields { get; } = [];

    /// <summary>Names in lower case, as they are on the wire; a value that may not stand in a header is "(null)".</summary>
    public IEnumerable<string> Lines =>
        Fields.Select(entry => $"{entry.Name.Text.ToLowerInvariant()}: {entry.Value ?? "(null)"}");

    public void OnHeader(HeaderName name, string? value) => Fields.Add((name, value));
}
