using System.Reflection;
using Microsoft.Extensions.Logging;

namespace Ingest.Agents.Loading;

/// <summary>Agents that users wrote: public types of an assembly that derive from <see cref="Agent"/>.</summary>
internal static class AgentAssemblies
{
    /// <summary>Loads the agents of assemblies.</summary>
    /// <exception cref="AgentException">One cannot be loaded, or has no agent; the message names it.</exception>
    public static IEnumerable<Func<Agent>> Load(IEnumerable<string> paths, ILogger logger)
    {
        var agents = new List<Func<Agent>>();
        foreach (string path in paths)
        {
            Type[] types = TypesOf(Path.GetFullPath(path));
            agents.AddRange(types.Select(type => (Func<Agent>)(() => Make(type, path))));
            logger.AssemblyLoaded(string.Join(", ", types.Select(type => type.Name)), path);
        }

        return agents;
    }

    private static Type[] TypesOf(string path)
    {
        try
        {
            Assembly assembly = new AgentLoadContext(path).LoadFromAssemblyPath(path);
            Type[] types =
            [
                .. assembly.GetExportedTypes().Where(
                    type => type.IsSubclassOf(typeof(Agent)) && !type.IsAbstract
                        && type.GetConstructor([]) is not null),
            ];
            return types.Length > 0
                ? types
                : throw new AgentException(
                    AgentFault.Invalid,
                    $"{path} has no public class with a constructor without parameters that derives from Agent");
        }
        catch (Exception e) when (
            e is IOException or BadImageFormatException or TypeLoadException or ReflectionTypeLoadException)
        {
            throw new AgentException(AgentFault.Invalid, $"{path} cannot be loaded: {e.Message}", e);
        }
    }

    private static Agent Make(Type type, string path)
    {
        try
        {
            return (Agent)Activator.CreateInstance(type)!;
        }
        catch (TargetInvocationException e)
        {
            throw new AgentException(
                AgentFault.Invalid, $"the constructor of {type.Name} of {path} failed: {e.InnerException!.Message}",
                e.InnerException);
        }
    }
}
