namespace Ingest.Schema;

/// <summary>A message cannot be a table. The message says which field is at fault and what to do.</summary>
public sealed class SchemaException(string message) : Exception(message);
