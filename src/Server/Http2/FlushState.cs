namespace Ingest.Server.Http2;

/// <summary>Where a flush stands that could not end at once.</summary>
internal enum FlushState
{
    None = 0,

    /// <summary>The client takes nothing: its window is used up, or the kernel is full.</summary>
    Waiting = 1,

    /// <summary>It has ended, and the application is about to be told.</summary>
    Ended = 2,
}
