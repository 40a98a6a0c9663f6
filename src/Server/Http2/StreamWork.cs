namespace Ingest.Server.Http2;

/// <summary>What a stream is to go on with, on the thread that reads its connection or on one of the pool.</summary>
[Flags]
internal enum StreamWork
{
    None = 0,

    /// <summary>The request has come: the application begins.</summary>
    Start = 1,

    /// <summary>There is something for a read that waits.</summary>
    Read = 2,

    /// <summary>A flush that waits has ended.</summary>
    Flush = 4,

    /// <summary>The client has left.</summary>
    Abort = 8,
}
