namespace Ingest.Schema;

/// <summary>What a single value is, on the wire and in the column.</summary>
internal enum ValueKind
{
    /// <summary>bool.</summary>
    Bool,

    /// <summary>int32.</summary>
    Int32,

    /// <summary>int64.</summary>
    Int64,

    /// <summary>uint32.</summary>
    UInt32,

    /// <summary>uint64.</summary>
    UInt64,

    /// <summary>sint32, zigzag.</summary>
    SInt32,

    /// <summary>sint64, zigzag.</summary>
    SInt64,

    /// <summary>fixed32.</summary>
    Fixed32,

    /// <summary>fixed64.</summary>
    Fixed64,

    /// <summary>sfixed32.</summary>
    SFixed32,

    /// <summary>sfixed64.</summary>
    SFixed64,

    /// <summary>float.</summary>
    Float,

    /// <summary>double.</summary>
    Double,

    /// <summary>string, valid UTF-8.</summary>
    String,

    /// <summary>bytes.</summary>
    Bytes,

    /// <summary>An enum; the column holds names.</summary>
    Enum,

    /// <summary>google.protobuf.Timestamp; the column holds microseconds.</summary>
    Timestamp,

    /// <summary>google.protobuf.Duration; the column holds microseconds.</summary>
    Duration,

    /// <summary>A message.</summary>
    Message,
}
