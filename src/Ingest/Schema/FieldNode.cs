using Google.Protobuf.Reflection;
using Ingest.V1;

namespace Ingest.Schema;

/// <summary>A field of a table's message, or of a message nested in it, with what it becomes.</summary>
internal sealed class FieldNode
{
    public required FieldDescriptor Field { get; init; }

    public required FieldShape Shape { get; init; }

    /// <summary>Kind of the value; for a map the kind of its values.</summary>
    public required ValueKind Kind { get; init; }

    /// <summary>Kind of a map's keys.</summary>
    public ValueKind KeyKind { get; init; }

    /// <summary>Path in the message with dots, as errors name it.</summary>
    public required string Path { get; init; }

    /// <summary>Place of the column in the table, or -1 for a flattened message or a field that is left out.</summary>
    public int Column { get; init; } = -1;

    /// <summary>Type of the column.</summary>
    public string Type { get; init; } = "";

    /// <summary>Whether values are kept in a dictionary; for a map its values.</summary>
    public bool LowCardinality { get; init; }

    public ColumnRules? Rules { get; init; }

    /// <summary>Fields of a flattened message.</summary>
    public IReadOnlyList<FieldNode> Children { get; init; } = [];
}
