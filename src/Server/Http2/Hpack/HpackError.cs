namespace Ingest.Server.Http2.Hpack;

/// <summary>How the decoding of a header block ended.</summary>
internal enum HpackError
{
    /// <summary>All fields were given to the sink.</summary>
    None,

    /// <summary>
    /// The fields are more than the limits allow, by bytes or by number. The sink was given those before; the table is
    /// in step with the client's and the connection can go on: an error of the stream, or status 431.
    /// </summary>
    TooLarge,

    // The rest are connection errors, COMPRESSION_ERROR: from here on the table is out of step.

    /// <summary>The block ends within a field.</summary>
    Truncated,

    /// <summary>An integer of 2^28 or more, or one in more than five bytes.</summary>
    IntegerTooLarge,

    /// <summary>An index that is neither in the static nor in the dynamic table.</summary>
    IndexOutOfRange,

    /// <summary>A Huffman code that holds EOS, or is padded by more than 7 bits or by others than ones.</summary>
    BadHuffman,

    /// <summary>A table size update above the size that our SETTINGS allow.</summary>
    TableSizeTooLarge,

    /// <summary>A table size update behind a field.</summary>
    TableSizeMisplaced,
}
