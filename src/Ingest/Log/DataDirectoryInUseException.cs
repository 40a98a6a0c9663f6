namespace Ingest.Log;

/// <summary>Another process has the data directory. The message says which, and is meant for people.</summary>
public sealed class DataDirectoryInUseException(string message) : IOException(message);
