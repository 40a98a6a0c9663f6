namespace Ingest.Log;

/// <summary>
/// Rows were dropped because their producer has too many gaps in its offsets: rejected rows, or rows that are missing.
/// </summary>
public sealed class TooManyGapsException(string message) : Exception(message);
