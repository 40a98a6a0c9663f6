namespace Ingest.Server.Tests.Http2;

/// <summary>What a client sends, and the errors with which the server may answer; none where it takes it.</summary>
internal sealed record FrameCase(string Name, RawFrame[] Frames, params RawError[] Errors)
{
    /// <summary>What Kestrel answers where it differs from the RFC.</summary>
    public RawError? Kestrel { get; init; }

    public RawError[] ErrorsOf(string server) =>
        server == Http2Servers.Kestrel && Kestrel is { } error ? [error] : Errors;
}
