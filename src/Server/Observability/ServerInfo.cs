using System.Reflection;

namespace Ingest.Server.Observability;

/// <summary>What the server calls itself.</summary>
internal static class ServerInfo
{
    /// <summary>The service's name; <c>OTEL_SERVICE_NAME</c> overrides it in telemetry.</summary>
    public const string Name = "ingest";

    /// <summary>The version of this build, without the commit.</summary>
    public static string Version { get; } = typeof(ServerInfo).Assembly
        .GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];
}
