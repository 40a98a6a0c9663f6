namespace Ingest.Tests.Log.Crashes;

/// <summary>What becomes of a call.</summary>
internal enum FaultKind
{
    None,

    /// <summary>It fails and does nothing.</summary>
    Fails,

    /// <summary>A write fails when half of it is written; any other call is done.</summary>
    FailsHalfway,
}
