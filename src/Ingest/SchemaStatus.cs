namespace Ingest;

/// <summary>How the tables of <c>Ingest:Schemas</c> stand.</summary>
/// <param name="Tables">The tables of the images that take rows, by name, each with its schema's fingerprint in hexadecimal.</param>
/// <param name="Refused">What the images say and is not in force, with the reason; a sentence each.</param>
/// <param name="Reloads">How often the images were read since the start.</param>
public sealed record SchemaStatus(
    IReadOnlyDictionary<string, string> Tables, IReadOnlyList<string> Refused, long Reloads);
