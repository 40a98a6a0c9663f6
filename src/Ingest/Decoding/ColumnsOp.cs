namespace Ingest.Decoding;

/// <summary>What is done with a field of a columns message, or of a message in it.</summary>
internal enum ColumnsOp : byte
{
    /// <summary>A varint: the number of rows.</summary>
    RowCount,

    /// <summary>A nested message.</summary>
    Message,

    /// <summary>Numbers, packed.</summary>
    Packed,

    /// <summary>One number of a list that is not packed.</summary>
    Single,

    /// <summary>A string or a message of a list.</summary>
    Item,

    /// <summary>Eight bytes, of which the last ones count.</summary>
    Fixed64,
}
