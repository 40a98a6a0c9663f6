namespace Ingest.Server.Http2;

/// <summary>Flags of frames; what they mean goes by the frame's type (RFC 9113, 6).</summary>
[Flags]
[System.Diagnostics.CodeAnalysis.SuppressMessage("Design", "CA1069", Justification = "The RFC has it so.")]
internal enum FrameFlags : byte
{
    None = 0,

    /// <summary>DATA and HEADERS: the last of its side.</summary>
    EndStream = 0x1,

    /// <summary>SETTINGS and PING: an answer.</summary>
    Ack = 0x1,

    /// <summary>HEADERS and CONTINUATION: no CONTINUATION follows.</summary>
    EndHeaders = 0x4,

    /// <summary>DATA and HEADERS: the first byte is the number of bytes of padding at the end.</summary>
    Padded = 0x8,

    /// <summary>HEADERS: five bytes of priority come first.</summary>
    Priority = 0x20,
}
