namespace Ingest.Tests.Stores.ClickHouse;

/// <summary>Tests that share the stand-ins, and so do not run at the same time.</summary>
[CollectionDefinition(Name)]
public sealed class StandInCollection : ICollectionFixture<StandInFixture>
{
    public const string Name = "stand-in";
}
