namespace Ingest.Server.Tests.Http2;

/// <summary>Frame types (RFC 9113, 6), by the tests' own reading of the RFC.</summary>
internal enum RawType : byte
{
    Data = 0,
    Headers = 1,
    Priority = 2,
    Reset = 3,
    Settings = 4,
    PushPromise = 5,
    Ping = 6,
    GoAway = 7,
    WindowUpdate = 8,
    Continuation = 9,
}
