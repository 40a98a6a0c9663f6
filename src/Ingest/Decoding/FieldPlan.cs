using Ingest.Schema;

namespace Ingest.Decoding;

/// <summary>One step of a decoding plan: what to do with a tag.</summary>
internal sealed class FieldPlan
{
    public required FieldOp Op { get; init; }

    /// <summary>How one value is read; <see cref="Op"/> itself but for lists and maps.</summary>
    public FieldOp ValueOp { get; init; }

    /// <summary>How a map's key is read.</summary>
    public FieldOp KeyOp { get; init; }

    /// <summary>Place of the column in the batch.</summary>
    public int Column { get; init; } = -1;

    /// <summary>Word of the bit that says that the row has the field.</summary>
    public required int Word { get; init; }

    /// <summary>The bit itself.</summary>
    public required ulong Bit { get; init; }

    /// <summary>Whether the column is nullable and the value lies in the column within.</summary>
    public bool Nullable { get; init; }

    /// <summary>Whether bytes have to be UTF-8.</summary>
    public bool Validate { get; init; }

    /// <summary>Whether an empty string is as good as none: it is, unless the column knows NULL.</summary>
    public bool EmptyIsAbsent { get; init; }

    /// <summary>Whether the field is a member of a oneof: setting it clears the others.</summary>
    public bool InOneof { get; private set; }

    /// <summary>Whether the value is made when the whole row has been read: maps, structs, JSON text.</summary>
    public bool IsDeferred => Chain >= 0;

    /// <summary>The other members of the oneof, flattened.</summary>
    public FieldPlan[] Siblings
    {
        get;
        set
        {
            field = value;
            InOneof = value.Length > 0;
        }
    } = [];

    /// <summary>The plan of a flattened message.</summary>
    public TagTable<FieldPlan>? Nested { get; set; }

    /// <summary>Number of the chain in which a deferred field's occurrences are gathered.</summary>
    public int Chain { get; init; } = -1;

    /// <summary>Layout of a deferred field's message, for a map of its entry.</summary>
    public MessageLayout? Layout { get; init; }

    /// <summary>Layout of the lists in a struct.</summary>
    public MessageLayout? ListLayout { get; init; }

    /// <summary>Layout of a field that is left out of the table.</summary>
    public FieldLayout? Skipped { get; init; }

    /// <summary>Wire type of a value; of a map's values.</summary>
    public uint ValueWireType { get; init; }

    public required FieldNode Node { get; init; }
}
