namespace Ingest.Tests.Stores;

/// <summary>Tests that share the process's one engine, and so do not run at the same time.</summary>
[CollectionDefinition(Name)]
public sealed class EngineCollection : ICollectionFixture<EngineFixture>
{
    public const string Name = "engine";
}
