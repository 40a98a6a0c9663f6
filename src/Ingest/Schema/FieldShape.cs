namespace Ingest.Schema;

/// <summary>How a field of a message becomes columns.</summary>
internal enum FieldShape
{
    /// <summary>One value a row.</summary>
    Single,

    /// <summary>One value a row or NULL: a field with explicit presence.</summary>
    Optional,

    /// <summary>A list a row.</summary>
    Repeated,

    /// <summary>A map a row.</summary>
    Map,

    /// <summary>A nested message whose fields are columns of their own.</summary>
    Flattened,

    /// <summary>A google.protobuf.Struct as a map of text.</summary>
    Struct,

    /// <summary>A message that cannot be flattened, as JSON text.</summary>
    JsonObject,

    /// <summary>A list of messages, as JSON text.</summary>
    JsonArray,

    /// <summary>Left out of the table: read and checked as any field, and stored nowhere.</summary>
    Skipped,
}
