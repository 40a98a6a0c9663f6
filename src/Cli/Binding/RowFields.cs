using System.Buffers;

namespace Ingest.Cli.Binding;

/// <summary>
/// The fields of a kind of row by name. Case and the separators `_ - . space` do not count, so that `driver_id`,
/// `driverId` and `Driver ID` are one, and `location.lat` is `locationLat`.
/// </summary>
internal sealed class RowFields
{
    private static readonly SearchValues<char> Separators = SearchValues.Create("_-. ");

    private readonly RowField[] _fields;
    private readonly Dictionary<string, (int Number, int Rank)> _byName = new(StringComparer.Ordinal);

    public RowFields(params RowField[] fields)
    {
        _fields = fields;
        foreach (var field in fields)
        {
            _byName.Add(Normalize(field.Path), (field.Number, 0));
            for (var i = 0; i < field.Aliases.Length; i++)
            {
                _byName.Add(field.Aliases[i], (field.Number, i + 1));
            }
        }
    }

    /// <summary>All fields as a user writes them, with commas.</summary>
    public string Names => string.Join(", ", _fields.Select(known => known.Path));

    /// <summary>The name of a field.</summary>
    public string NameOf(int number) => Array.Find(_fields, field => field.Number == number)?.Path ?? "";

    /// <summary>The number of the field of that very name, or -1.</summary>
    public int Find(string path) =>
        _byName.TryGetValue(Normalize(path), out var found) && found.Rank == 0 ? found.Number : -1;

    /// <summary>The field that a column of that name means, and how good the name is (0 is best); -1 for none.</summary>
    public (int Number, int Rank) FindColumn(string column) =>
        _byName.TryGetValue(Normalize(column), out var found) ? found : (-1, int.MaxValue);

    private static string Normalize(string name)
    {
        var lower = name.Trim().ToLowerInvariant();
        return lower.AsSpan().ContainsAny(Separators)
            ? string.Concat(lower.Where(c => !Separators.Contains(c)))
            : lower;
    }
}
