using Google.Protobuf.Reflection;
using Ingest.Tests.Protos;
using Ingest.V1;

namespace Ingest.Tests.Decoding;

/// <summary>The tables that come with the server and those of the tests.</summary>
internal static class Tables
{
    public static IReadOnlyList<MessageDescriptor> All { get; } =
    [
        GpsPoint.Descriptor, Event.Descriptor, MetricSample.Descriptor, Order.Descriptor,
        .. TablesReflection.Descriptor.MessageTypes.Where(
            m => m.GetOptions()?.HasExtension(OptionsExtensions.Table) == true),
    ];

    /// <summary>Their names, for theories.</summary>
    public static TheoryData<string> Names => [.. All.Select(m => m.Name)];

    public static MessageDescriptor Of(string name) => All.Single(m => m.Name == name);
}
