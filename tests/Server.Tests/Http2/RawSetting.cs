namespace Ingest.Server.Tests.Http2;

/// <summary>Settings (RFC 9113, 6.5.2), by the tests' own reading of the RFC.</summary>
internal enum RawSetting : ushort
{
    HeaderTableSize = 1,
    EnablePush = 2,
    MaxConcurrentStreams = 3,
    InitialWindowSize = 4,
    MaxFrameSize = 5,
    MaxHeaderListSize = 6,
}
