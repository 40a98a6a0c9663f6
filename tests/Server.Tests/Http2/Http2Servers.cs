using Ingest.Server.Grpc;
using Ingest.Server.Tests.Grpc;

namespace Ingest.Server.Tests.Http2;

/// <summary>The servers that must agree, each started once for all tests of the collection.</summary>
[CollectionDefinition(Collection)]
public sealed class Http2Servers : ICollectionFixture<Http2Servers>, IAsyncLifetime
{
    public const string Collection = "http2";
    public const string Kestrel = nameof(Http2Kind.Kestrel);
    public const string Own = nameof(Http2Kind.Own);

    private readonly Dictionary<string, TestHost> _hosts = [];

    public static TheoryData<string> All => [.. Names];

    public static string[] Names => [Kestrel, Own];

    /// <summary>Every server with each of the cases.</summary>
    public static TheoryData<string, string> Each(IEnumerable<string> cases)
    {
        var data = new TheoryData<string, string>();
        foreach (var (server, name) in Names.SelectMany(server => cases.Select(name => (server, name))))
        {
            data.Add(server, name);
        }

        return data;
    }

    public async Task InitializeAsync()
    {
        foreach (var server in Names)
        {
            _hosts.Add(server, await StartAsync(server, new GrpcServerOptions()));
        }
    }

    public async Task DisposeAsync()
    {
        foreach (var host in _hosts.Values)
        {
            await host.DisposeAsync();
        }
    }

    /// <summary>A server with settings of its own.</summary>
    internal static Task<TestHost> StartAsync(string server, GrpcServerOptions options) =>
        TestHost.StartAsync(options with { Http2 = Enum.Parse<Http2Kind>(server) });

    internal TestHost Host(string server) => _hosts[server];

    internal Task<RawConnection> OpenAsync(string server, params (RawSetting Id, uint Value)[] settings) =>
        RawConnection.OpenAsync(Host(server).GrpcAddress, settings);
}
