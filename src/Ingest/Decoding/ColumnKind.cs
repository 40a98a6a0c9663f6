namespace Ingest.Decoding;

/// <summary>How a columns message carries a column.</summary>
internal enum ColumnKind
{
    /// <summary>Numbers of four or eight bytes.</summary>
    Fixed,

    /// <summary>Numbers as varints.</summary>
    Varint,

    /// <summary>Numbers of an enum.</summary>
    Enum,

    /// <summary>ingest.v1.StringColumn.</summary>
    Text,

    /// <summary>ingest.v1.StringListColumn.</summary>
    TextList,

    /// <summary>ingest.v1.TimestampColumn.</summary>
    Timestamp,

    /// <summary>A google.protobuf.Struct a row.</summary>
    Struct,
}
