namespace Ingest.Schema;

/// <summary>What was found in the images.</summary>
/// <param name="Tables">Tables by name, with the image that declares each.</param>
/// <param name="Faults">What is wrong, a sentence each that begins with the image's path.</param>
internal sealed record SchemaReading(
    IReadOnlyDictionary<string, (TableSchema Table, string Path)> Tables, IReadOnlyList<string> Faults);
