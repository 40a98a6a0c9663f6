namespace Ingest.Log;

/// <summary>What became of a producer's session.</summary>
public enum ProducerOpenResult
{
    /// <summary>It is the producer's current one.</summary>
    Opened,

    /// <summary>The producer has had a session with a higher number.</summary>
    OlderEpoch,

    /// <summary>The table has as many producers as <see cref="LogOptions.MaxProducers"/> lets it have.</summary>
    TooManyProducers,
}
