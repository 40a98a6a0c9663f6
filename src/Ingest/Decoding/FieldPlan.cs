using Google.Protobuf.Reflection;
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

    /// <summary>Whether a map's keys have to be UTF-8.</summary>
    public bool ValidateKey { get; init; }

    /// <summary>Whether the field is a member of a oneof: setting it clears the others.</summary>
    public bool InOneof => Siblings.Length > 0;

    /// <summary>Whether the value is made when the whole row has been read: maps, structs, JSON text.</summary>
    public bool IsDeferred => Op is FieldOp.MapEntry or FieldOp.Struct or FieldOp.JsonObject or FieldOp.JsonItem;

    /// <summary>The other members of the oneof, flattened.</summary>
    public FieldPlan[] Siblings { get; set; } = [];

    /// <summary>The plan of a flattened message.</summary>
    public MessagePlan? Nested { get; init; }

    /// <summary>The message that becomes JSON text.</summary>
    public MessageDescriptor? Message { get; init; }

    public required FieldNode Node { get; init; }
}
