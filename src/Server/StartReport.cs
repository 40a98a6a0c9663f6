using System.Reflection;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace Ingest.Server;

/// <summary>What the server says when it is up: where it listens, where its data is, and what to try next.</summary>
internal static class StartReport
{
    public static void Write(TextWriter output, WebApplication app, ServerOptions options, IngestPipeline pipeline)
    {
        string[] addresses = [.. app.Services.GetRequiredService<IServer>().Features
            .Get<IServerAddressesFeature>()!.Addresses];
        string version = typeof(StartReport).Assembly
            .GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];
        output.WriteLine($"""
            ingest {version}
              gRPC   {addresses[0]}
              HTTP   {addresses[1]}
              data   {Path.GetFullPath(options.DataDirectory)}
              store  {pipeline.Store.Description}
            Try:
              ./script/ingest simulate --drivers 500 --minutes 10
              ./script/ingest query "SELECT count(), uniq(driver_id) FROM gps_points"
            """);
        output.Flush();
    }
}
