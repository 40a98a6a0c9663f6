using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Rpc;
using Grpc.Testing;
using Ingest.Testing.V1;

namespace Ingest.Server.Tests.Grpc;

/// <summary>One server for all foreign clients; each client runs once and its cases become tests.</summary>
public sealed class ForeignClientFixture : IAsyncLifetime
{
    private readonly string _descriptorSet = Path.GetTempFileName();
    private readonly Dictionary<string, Task<Dictionary<string, string?>>> _runs = [];
    private TestHost? _host;

    public Uri GrpcAddress => _host!.GrpcAddress;

    public async Task InitializeAsync()
    {
        await File.WriteAllBytesAsync(_descriptorSet, Descriptors().ToByteArray());
        _host = await TestHost.StartAsync();
    }

    public async Task DisposeAsync()
    {
        await _host!.DisposeAsync();
        File.Delete(_descriptorSet);
    }

    /// <summary>What became of a client's case: fails when it failed or was not run.</summary>
    public async Task AssertPassedAsync(string client, string name)
    {
        if (!_runs.TryGetValue(client, out var run))
        {
            _runs[client] = run = RunAsync(client);
        }

        var results = await run;
        Assert.True(results.TryGetValue(name, out var error), $"{client} has no case {name}");
        Assert.True(error is null, error);
    }

    private Task<Dictionary<string, string?>> RunAsync(string client) => client switch
    {
        "grpcio_client.py" => ForeignClient.RunCasesAsync(
            ForeignClient.Python, client, GrpcAddress.Authority, _descriptorSet),
        "connect-web.mjs" => ForeignClient.RunCasesAsync(
            "node", client, _host!.WebAddress.GetLeftPart(UriPartial.Authority), _descriptorSet),
        _ => ForeignClient.RunCasesAsync(
            "node", [client, GrpcAddress.Authority, .. ForeignClient.ProtoDirectories]),
    };

    private static FileDescriptorSet Descriptors()
    {
        var set = new FileDescriptorSet();
        HashSet<string> seen = [];
        foreach (var file in new[]
            { TestReflection.Descriptor, ProbeServiceReflection.Descriptor, StatusReflection.Descriptor,
              ErrorDetailsReflection.Descriptor })
        {
            Add(file);
        }

        return set;

        void Add(FileDescriptor file)
        {
            if (seen.Add(file.Name))
            {
                foreach (var import in file.Dependencies)
                {
                    Add(import);
                }

                set.File.Add(file.ToProto());
            }
        }
    }
}
