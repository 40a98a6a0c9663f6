namespace Ingest.Decoding;

/// <summary>What the decoder does with a field that it meets: one entry a value kind and shape.</summary>
internal enum FieldOp : byte
{
    /// <summary>Check it and store nothing.</summary>
    Skip,

    /// <summary>A varint to one byte, 0 or 1.</summary>
    Bool,

    /// <summary>A varint to four bytes.</summary>
    Varint32,

    /// <summary>A varint to eight bytes.</summary>
    Varint64,

    /// <summary>A zigzag varint to four bytes.</summary>
    ZigZag32,

    /// <summary>A zigzag varint to eight bytes.</summary>
    ZigZag64,

    /// <summary>Four bytes as they are.</summary>
    Fixed32,

    /// <summary>Eight bytes as they are.</summary>
    Fixed64,

    /// <summary>A varint to the name of an enum value.</summary>
    Enum,

    /// <summary>Bytes to a string column.</summary>
    String,

    /// <summary>Bytes to a dictionary.</summary>
    LowCardinality,

    /// <summary>A Timestamp to microseconds.</summary>
    Timestamp,

    /// <summary>A Duration to microseconds.</summary>
    Duration,

    /// <summary>A nested message whose fields have columns of their own.</summary>
    Message,

    /// <summary>One item of a list.</summary>
    Item,

    /// <summary>Items of a list, packed.</summary>
    PackedItems,

    /// <summary>An entry of a map.</summary>
    MapEntry,

    /// <summary>A Struct to a map of text.</summary>
    Struct,

    /// <summary>A message to JSON text.</summary>
    JsonObject,

    /// <summary>An item of a list of messages to JSON text.</summary>
    JsonItem,
}
