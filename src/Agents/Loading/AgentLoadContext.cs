using System.Reflection;
using System.Runtime.Loader;

namespace Ingest.Agents.Loading;

/// <summary>
/// Where an assembly of agents is loaded with what it brings along: its packages do not meet those of the server or of
/// other agents. What an agent shares with the server it gets from the server: a type is the same type on both sides.
/// </summary>
internal sealed class AgentLoadContext(string path) : AssemblyLoadContext(Path.GetFileNameWithoutExtension(path))
{
    private static readonly HashSet<string> s_shared = new(StringComparer.OrdinalIgnoreCase)
    {
        "Ingest.Agents", "Ingest", "Ingest.Protocol", "Google.Protobuf", "Microsoft.Extensions.Logging.Abstractions",
        "Microsoft.Extensions.DependencyInjection.Abstractions",
    };

    private readonly AssemblyDependencyResolver _resolver = new(path);

    /// <inheritdoc/>
    protected override Assembly? Load(AssemblyName assemblyName) =>
        !s_shared.Contains(assemblyName.Name!) && _resolver.ResolveAssemblyToPath(assemblyName) is { } found
            ? LoadFromAssemblyPath(found)
            : null;

    /// <inheritdoc/>
    protected override nint LoadUnmanagedDll(string unmanagedDllName) =>
        _resolver.ResolveUnmanagedDllToPath(unmanagedDllName) is { } found ? LoadUnmanagedDllFromPath(found) : 0;
}
