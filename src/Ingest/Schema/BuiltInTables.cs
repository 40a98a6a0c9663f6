using Google.Protobuf.Reflection;
using Ingest.V1;

namespace Ingest.Schema;

/// <summary>The tables that every server has.</summary>
public static class BuiltInTables
{
    private static readonly MessageDescriptor[] s_messages =
    [
        GpsPoint.Descriptor, Event.Descriptor, MetricSample.Descriptor, Order.Descriptor,
    ];

    // The server's own: producers may not write them.
    private static readonly MessageDescriptor[] s_ownMessages =
    [
        EtaPredictionRow.Descriptor, RouteOptimizationRow.Descriptor, DriverAllocationRow.Descriptor, AlertRow.Descriptor,
        CustomUpdateRow.Descriptor, DeadLetter.Descriptor,
    ];

    /// <summary>All of them; the last holds the dead letters.</summary>
    public static IReadOnlyList<TableSchema> All { get; } = 
        [.. s_messages.Concat(s_ownMessages).Select(TableSchema.FromDescriptor)];

    /// <summary>Name of the table of dead letters, which producers may not write.</summary>
    public static string DeadLetters => All[^1].Name;

    /// <summary>Whether producers may write a table of that name, if there is one.</summary>
    public static bool IsForProducers(string name) =>
        !All.Skip(s_messages.Length).Any(table => table.Name == name);

    /// <summary>Whether a table has that name.</summary>
    public static bool IsTable(string name) => All.Any(table => table.Name == name);

    /// <summary>Whether a table is declared by the message of that full name.</summary>
    public static bool IsMessage(string fullName) => All.Any(table => table.Message.FullName == fullName);
}
