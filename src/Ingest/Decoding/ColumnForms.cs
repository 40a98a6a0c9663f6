using Google.Protobuf.Reflection;
using Ingest.V1;

namespace Ingest.Decoding;

/// <summary>Which message carries many rows of another one as columns.</summary>
internal static class ColumnForms
{
    private static readonly Dictionary<string, MessageDescriptor> s_forms = new()
    {
        [GpsPoint.Descriptor.FullName] = GpsPointColumns.Descriptor,
        [Event.Descriptor.FullName] = EventColumns.Descriptor,
    };

    /// <summary>The columns of a row's message, or null for rows that have no such form.</summary>
    public static MessageDescriptor? Of(MessageDescriptor row) => s_forms.GetValueOrDefault(row.FullName);
}
