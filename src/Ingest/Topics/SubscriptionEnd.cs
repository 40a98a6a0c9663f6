namespace Ingest.Topics;

/// <summary>Why a subscription has ended.</summary>
public enum SubscriptionEnd
{
    /// <summary>It has not.</summary>
    None,

    /// <summary>It fell behind, and asked to be ended then; its token says where to go on.</summary>
    TooSlow,

    /// <summary>The server stops.</summary>
    HubStopped,

    /// <summary>Its reader let it go.</summary>
    Disposed,
}
