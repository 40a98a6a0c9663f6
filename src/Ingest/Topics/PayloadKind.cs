using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using Ingest.Schema;
using Ingest.V1;

namespace Ingest.Topics;

/// <summary>
/// A kind of payload: its message, its field of <see cref="Update"/>, and the table that keeps its updates.
/// </summary>
internal sealed class PayloadKind
{
    private PayloadKind(MessageDescriptor payload, int updateField, MessageDescriptor row, string topic)
    {
        (Payload, UpdateField, Row, Topic) = (payload, updateField, row, topic);
        Table = TableSchema.NameOf(row);
    }

    /// <summary>All of them; the last is that of agents that users write.</summary>
    public static IReadOnlyList<PayloadKind> All { get; } =
    [
        new(EtaPrediction.Descriptor, Update.EtaPredictionFieldNumber, EtaPredictionRow.Descriptor, "eta-predictions"),
        new(RouteOptimization.Descriptor, Update.RouteOptimizationFieldNumber, RouteOptimizationRow.Descriptor,
            "route-optimizations"),
        new(DriverAllocation.Descriptor, Update.DriverAllocationFieldNumber, DriverAllocationRow.Descriptor,
            "driver-allocations"),
        new(Alert.Descriptor, Update.AlertFieldNumber, AlertRow.Descriptor, "alerts"),
        new(Struct.Descriptor, Update.CustomFieldNumber, CustomUpdateRow.Descriptor, ""),
    ];

    /// <summary>The payload's message.</summary>
    public MessageDescriptor Payload { get; }

    /// <summary>Number of its field in <see cref="Update"/>.</summary>
    public int UpdateField { get; }

    /// <summary>The message that its table follows from.</summary>
    public MessageDescriptor Row { get; }

    /// <summary>Name of its table.</summary>
    public string Table { get; }

    /// <summary>Name of the topic that has it and no other payload; empty for payloads without one.</summary>
    public string Topic { get; }

    /// <summary>The kind of a message; null when no topic can have it.</summary>
    public static PayloadKind? Of(MessageDescriptor payload) =>
        All.FirstOrDefault(kind => kind.Payload.FullName == payload.FullName);

    /// <summary>The kind of a field of <see cref="Update"/>; null when the field is no payload.</summary>
    public static PayloadKind? OfField(int number) => All.FirstOrDefault(kind => kind.UpdateField == number);

    /// <summary>The kind that a topic of that name has; null when its first update decides.</summary>
    public static PayloadKind? OfTopic(string topic) =>
        All.FirstOrDefault(kind => kind.Topic == topic && topic.Length > 0);
}
