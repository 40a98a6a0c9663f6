using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Ingest.Cli.Binding;

/// <summary>
/// Puts the values of columns into a row, which is one object used again and again. Fields from
/// <see cref="FirstExtra"/> on are names that the row keeps in a map of its own (properties, metrics, labels).
/// </summary>
/// <typeparam name="TRow">The kind of row.</typeparam>
internal abstract class RowBinder<TRow>
{
    /// <summary>The first number of a name that is kept in a map.</summary>
    protected const int FirstExtra = 32;

    private readonly RowFields _fields;
    private readonly List<(int Field, byte[] Text)> _constants = [];
    private readonly List<string> _extras = [];
    private readonly Utf8Strings _strings = new();
    private uint _set;

    protected RowBinder(RowFields fields, BindingOptions options)
    {
        _fields = fields;
        Options = options;
        foreach (var (_, path) in options.Map)
        {
            FindField(path);
        }
        foreach (var (path, text) in options.Constants)
        {
            _constants.Add((FindField(path), Encoding.UTF8.GetBytes(text)));
        }
    }

    /// <summary>The row.</summary>
    public abstract TRow Row { get; }

    /// <summary>How columns become fields.</summary>
    public BindingOptions Options { get; }

    /// <summary>The start of the path of each map in the row, for example `properties.`; empty for none.</summary>
    protected abstract IReadOnlyList<string> ExtraPrefixes { get; }

    /// <summary>The prefix of a column that has no other place in the row; null when the row has no place.</summary>
    protected abstract string? DefaultExtraPrefix { get; }

    /// <summary>Clears the row.</summary>
    public void Begin()
    {
        _set = 0;
        Clear();
    }

    /// <summary>
    /// The field of a column (-1 for none) and how good the name is; of two columns of one field the one with the
    /// lower rank is meant.
    /// </summary>
    /// <exception cref="UsageException">A mapping names a field that there is not.</exception>
    public (int Field, int Rank) Resolve(string column)
    {
        if (Options.Map.TryGetValue(column, out var path))
        {
            return (FindField(path), -1);
        }
        var known = _fields.FindColumn(column);
        return known.Number >= 0 ? known : (ResolveExtra(column), int.MaxValue);
    }

    /// <summary>The field of a column that another column has taken the place of: a map of the row, or -1.</summary>
    public int ResolveExtra(string column)
    {
        foreach (var prefix in ExtraPrefixes)
        {
            if (column.StartsWith(prefix, StringComparison.OrdinalIgnoreCase) && column.Length > prefix.Length)
            {
                return AddExtra(column);
            }
        }
        return DefaultExtraPrefix is null ? -1 : AddExtra(DefaultExtraPrefix + column);
    }

    /// <summary>Whether a JSON object of that name holds fields of the row rather than being a value.</summary>
    public bool IsGroup(string path)
    {
        foreach (var prefix in ExtraPrefixes)
        {
            if (prefix.AsSpan().TrimEnd('.').Equals(path, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }
        return IsMessage(path);
    }

    /// <summary>Puts a value into a field. False when it is no value of that field.</summary>
    public bool TrySet(int field, ReadOnlySpan<byte> text)
    {
        if (field >= FirstExtra)
        {
            return TrySetExtra(_extras[field - FirstExtra], text);
        }
        _set |= 1u << field;
        return TrySetField(field, text);
    }

    /// <summary>Puts a JSON object or array, which the reader stands at, into a field; false when it has no place.</summary>
    public bool TrySetJson(int field, ref Utf8JsonReader json) =>
        field >= FirstExtra && TrySetExtraJson(_extras[field - FirstExtra], ref json);

    /// <summary>Gives the row what the file does not say, and finds what is missing.</summary>
    /// <param name="line">The line that the row stands on.</param>
    /// <returns>The fault; null when the row is whole.</returns>
    public string? Complete(long line)
    {
        foreach (var (field, text) in _constants)
        {
            if (!TrySet(field, text))
            {
                return Describe(field, text);
            }
        }
        return Finish(line);
    }

    /// <summary>Says what is wrong with a value, in words for the user.</summary>
    public string Describe(int field, ReadOnlySpan<byte> text)
    {
        var name = field >= FirstExtra ? _extras[field - FirstExtra] : _fields.NameOf(field);
        const int Shown = 40;
        var value = Encoding.UTF8.GetString(text.Length > Shown ? text[..Shown] : text);
        return string.Create(CultureInfo.InvariantCulture, $"{name} cannot be '{value}'");
    }

    /// <summary>What a file with these fields lacks to be read as rows, in words; null when it has all.</summary>
    public abstract string? FindMissing(IReadOnlyCollection<int> fields);

    /// <summary>Whether a constant or a column has set a field of this row.</summary>
    protected bool IsSet(int field) => (_set & (1u << field)) != 0;

    /// <summary>Whether every row is given a constant for a field.</summary>
    protected bool HasConstant(int field) => _constants.Exists(constant => constant.Field == field);

    /// <summary>The text as a string; the same text is one object when it comes again soon.</summary>
    protected string ToText(ReadOnlySpan<byte> text) => _strings.Get(text);

    /// <summary>Empties the row.</summary>
    protected abstract void Clear();

    /// <summary>Puts a value into a field of the row.</summary>
    protected abstract bool TrySetField(int field, ReadOnlySpan<byte> text);

    /// <summary>Puts a value into a map of the row, by its whole path.</summary>
    protected virtual bool TrySetExtra(string path, ReadOnlySpan<byte> text) => false;

    /// <summary>Told once of each name that is kept in a map.</summary>
    protected virtual void OnExtra(string path)
    {
    }

    /// <summary>Puts a JSON object or array into a map of the row.</summary>
    protected virtual bool TrySetExtraJson(string path, ref Utf8JsonReader json) => false;

    /// <summary>Whether a JSON object of that name is a message within the row.</summary>
    protected abstract bool IsMessage(string path);

    /// <summary>Fills in defaults; returns what is missing.</summary>
    protected abstract string? Finish(long line);

    private int FindField(string path)
    {
        var field = _fields.Find(path);
        if (field >= 0)
        {
            return field;
        }
        foreach (var prefix in ExtraPrefixes)
        {
            if (path.StartsWith(prefix, StringComparison.Ordinal) && path.Length > prefix.Length)
            {
                return AddExtra(path);
            }
        }
        var maps = string.Concat(ExtraPrefixes.Select(prefix => $", {prefix}NAME"));
        throw new UsageException($"There is no field {path}. Fields are {_fields.Names}{maps}.");
    }

    private int AddExtra(string path)
    {
        var known = _extras.IndexOf(path);
        if (known < 0)
        {
            known = _extras.Count;
            _extras.Add(path);
            OnExtra(path);
        }
        return FirstExtra + known;
    }
}
