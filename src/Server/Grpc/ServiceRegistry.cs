using System.Collections.Concurrent;
using ServiceDescriptor = Google.Protobuf.Reflection.ServiceDescriptor;

namespace Ingest.Server.Grpc;

/// <summary>The services that the server offers.</summary>
/// <remarks>Safe for use by several threads at once.</remarks>
public sealed class ServiceRegistry
{
    private readonly ConcurrentDictionary<string, ServiceDescriptor> _services = new();

    /// <summary>The services by name.</summary>
    public IEnumerable<ServiceDescriptor> Services => _services.Values.OrderBy(s => s.FullName, StringComparer.Ordinal);

    /// <summary>Whether a service of this full name is offered.</summary>
    public bool Contains(string fullName) => _services.ContainsKey(fullName);

    /// <exception cref="InvalidOperationException">The service is there already.</exception>
    internal void Add(ServiceDescriptor service)
    {
        if (!_services.TryAdd(service.FullName, service))
        {
            throw new InvalidOperationException($"The service {service.FullName} is mapped twice.");
        }
    }
}
