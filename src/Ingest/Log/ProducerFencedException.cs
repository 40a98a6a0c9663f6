namespace Ingest.Log;

/// <summary>Rows were dropped because their session is not the producer's current one.</summary>
public sealed class ProducerFencedException(string message) : Exception(message);
