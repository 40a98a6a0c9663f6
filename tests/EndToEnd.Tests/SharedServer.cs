namespace Ingest.EndToEnd.Tests;

/// <summary>One server for the tests that only send and query; each uses keys of its own.</summary>
[CollectionDefinition(Collection)]
public sealed class SharedServer : IAsyncLifetime, ICollectionFixture<SharedServer>
{
    public const string Collection = "shared server";

    private ServerProcess? _server;

    /// <summary>The server; the test is skipped where there is no engine.</summary>
    public ServerProcess Server()
    {
        Engine.Require();
        return _server!;
    }

    public async Task InitializeAsync()
    {
        if (Engine.IsThere)
        {
            _server = await ServerProcess.StartAsync();
        }
    }

    public async Task DisposeAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }
    }
}
