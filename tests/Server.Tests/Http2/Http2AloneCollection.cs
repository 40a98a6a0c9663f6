namespace Ingest.Server.Tests.Http2;

/// <summary>What would disturb others, or be disturbed in what it measures.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class Http2AloneCollection
{
    public const string Name = "http2 alone";
}
