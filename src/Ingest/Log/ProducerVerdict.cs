namespace Ingest.Log;

/// <summary>Whether offsets that reach the lane are new.</summary>
internal enum ProducerVerdict
{
    /// <summary>All of them are.</summary>
    New,

    /// <summary>Some or all of them are durable already.</summary>
    Known,

    /// <summary>They come from a session that is not the producer's current one.</summary>
    Fenced,

    /// <summary>They are too many gaps ahead of what is durable.</summary>
    TooFarAhead,
}
