namespace Ingest.Server.Services;

/// <summary>How far a server is on its way to its end, as subscriptions see it.</summary>
internal enum DrainStage
{
    /// <summary>It serves.</summary>
    None,

    /// <summary>It is about to stop, and subscribers are told so.</summary>
    Told,

    /// <summary>Subscriptions end.</summary>
    Over,
}
