namespace Ingest.Server.Tests.Http2;

/// <summary>Error codes (RFC 9113, 7), by the tests' own reading of the RFC.</summary>
internal enum RawError : uint
{
    NoError = 0,
    ProtocolError = 1,
    Internal = 2,
    FlowControl = 3,
    StreamClosed = 5,
    FrameSize = 6,
    RefusedStream = 7,
    Cancel = 8,
    Compression = 9,
    EnhanceYourCalm = 11,
}
