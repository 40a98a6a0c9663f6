using Google.Protobuf.Reflection;
using Ingest.V1;

namespace Ingest.Schema;

/// <summary>The tables that every server has.</summary>
public static class BuiltInTables
{
    private static readonly MessageDescriptor[] s_messages =
    [
        GpsPoint.Descriptor, Event.Descriptor, MetricSample.Descriptor, Order.Descriptor, DeadLetter.Descriptor,
    ];

    /// <summary>All of them; the last holds the dead letters.</summary>
    public static IReadOnlyList<TableSchema> All { get; } = [.. s_messages.Select(TableSchema.FromDescriptor)];

    /// <summary>Name of the table of dead letters, which producers may not write.</summary>
    public static string DeadLetters => All[^1].Name;

    /// <summary>Whether a table has that name.</summary>
    public static bool IsTable(string name) => All.Any(table => table.Name == name);

    /// <summary>Whether a table is declared by the message of that full name.</summary>
    public static bool IsMessage(string fullName) => s_messages.Any(message => message.FullName == fullName);
}
