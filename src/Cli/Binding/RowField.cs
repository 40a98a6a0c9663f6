namespace Ingest.Cli.Binding;

/// <summary>A field of a row that columns can be mapped to.</summary>
/// <param name="Number">Its number within the binder, 0 to 31.</param>
/// <param name="Path">Its name, for example `location.lat`.</param>
/// <param name="Aliases">
/// Other names that columns of that meaning bear, best first, in lower case without separators.
/// </param>
internal sealed record RowField(int Number, string Path, params string[] Aliases);
