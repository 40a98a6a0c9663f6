namespace Ingest.Server.Tests.Grpc;

/// <summary>
/// Tests with foreign clients run alone: their cases have deadlines, and tests beside them can hold the pool's threads.
/// </summary>
[CollectionDefinition(Collection, DisableParallelization = true)]
public sealed class ForeignClients : ICollectionFixture<ForeignClientFixture>
{
    public const string Collection = "foreign clients";
}
