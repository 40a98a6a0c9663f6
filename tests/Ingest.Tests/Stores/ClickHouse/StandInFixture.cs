using Ingest.Stores;
using Ingest.Stores.Embedded;

namespace Ingest.Tests.Stores.ClickHouse;

/// <summary>Three stand-ins, each an engine of its own; skips the test when libchdb is missing.</summary>
public sealed class StandInFixture : IAsyncLifetime
{
    private readonly List<StandIn> _servers = [];
    private string? _missing;

    /// <summary>Directory for files of the tests; deleted at the end.</summary>
    public string Directory { get; } = System.IO.Directory.CreateTempSubdirectory("ingest-standin-").FullName;

    internal IReadOnlyList<StandIn> Servers
    {
        get
        {
            Skip.If(_missing is not null, _missing);
            return _servers;
        }
    }

    public async Task InitializeAsync()
    {
        _missing = EmbeddedStore.WhyMissing(new StoreOptions());
        for (int i = 0; i < 3 && _missing is null; i++)
        {
            _servers.Add(await StandIn.StartAsync(Path.Combine(Directory, $"server-{i}")));
        }
    }

    public async Task DisposeAsync()
    {
        foreach (StandIn server in _servers)
        {
            await server.DisposeAsync();
        }

        System.IO.Directory.Delete(Directory, recursive: true);
    }
}
