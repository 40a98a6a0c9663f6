namespace Ingest.Fanout;

/// <summary>What is measured.</summary>
internal sealed record FanoutOptions
{
    /// <summary>Servers.</summary>
    public required IReadOnlyList<string> Peers { get; init; }

    /// <summary>Numbers of subscribers, rising.</summary>
    public required IReadOnlyList<int> Subscribers { get; init; }

    /// <summary>How long each thing is measured.</summary>
    public required TimeSpan Duration { get; init; }

    /// <summary>How long a server is under load before.</summary>
    public required TimeSpan WarmUp { get; init; }

    /// <summary>Deliveries a second at the pace at which ages are measured.</summary>
    public required int PacedDeliveries { get; init; }

    /// <summary>Subscribers whose memory is measured while nothing is published; 0: it is not.</summary>
    public required int IdleSubscribers { get; init; }

    /// <summary>Subscribers beside one that never reads; 0: not tried.</summary>
    public required int BesideStalled { get; init; }

    /// <summary>Deliveries on their way at most while it goes as fast as it can; a subscriber is so much behind, divided.</summary>
    public required int Window { get; init; }

    /// <summary>Updates a second then, at most.</summary>
    public int MaxPacedUpdates { get; init; } = 500;
}
