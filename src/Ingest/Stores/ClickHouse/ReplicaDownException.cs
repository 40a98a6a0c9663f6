namespace Ingest.Stores.ClickHouse;

/// <summary>
/// A server did not answer as ClickHouse does: no connection, a time that ran out, a broken answer, a gateway's error.
/// What it did with the request is not known. The circuit breaker counts these and nothing else.
/// </summary>
internal sealed class ReplicaDownException(string message, Exception? inner = null) : Exception(message, inner);
