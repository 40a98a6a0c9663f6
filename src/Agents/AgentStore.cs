using System.Globalization;
using System.Text;
using Ingest.Stores;

namespace Ingest.Agents;

/// <summary>What an agent can ask of the store.</summary>
public sealed class AgentStore
{
    private readonly IStore _store;
    private readonly QueryLimits _limits;

    internal AgentStore(IStore store)
    {
        _store = store;
        _limits = new QueryLimits { DefaultFormat = "TabSeparated" };
    }

    /// <summary>Runs one read-only query and gives its rows as texts; NULL is <c>\N</c>.</summary>
    /// <param name="query">
    /// One SELECT without FORMAT. Values that come from data are not to be pasted into it: see <see cref="Quote"/>.
    /// </param>
    /// <param name="cancellationToken">Ends the query.</param>
    /// <exception cref="StoreException">The store refused, or is away.</exception>
    public async Task<IReadOnlyList<string[]>> QueryAsync(string query, CancellationToken cancellationToken)
    {
        if (_store is NullStore)
        {
            return []; // Rows are dropped: for measuring.
        }

        using var bytes = new MemoryStream();
        await foreach (ReadOnlyMemory<byte> piece in _store.QueryAsync(query, _limits, cancellationToken))
        {
            bytes.Write(piece.Span);
        }

        string text = Encoding.UTF8.GetString(bytes.GetBuffer(), 0, (int)bytes.Length);
        return [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split('\t').Select(Unescape).ToArray())];
    }

    /// <summary>A text as a literal of SQL.</summary>
    public static string Quote(string text) =>
        $"'{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "\\'", StringComparison.Ordinal)}'";

    /// <summary>A number as SQL writes it.</summary>
    public static string Quote(double number) => number.ToString("R", CultureInfo.InvariantCulture);

    // TabSeparated escapes these; \N is NULL and stays.
    private static string Unescape(string value)
    {
        if (!value.Contains('\\') || value == "\\N")
        {
            return value;
        }

        var text = new StringBuilder(value.Length);
        for (int i = 0; i < value.Length; i++)
        {
            text.Append(value[i] != '\\' || i + 1 == value.Length ? value[i] : value[++i] switch
            {
                't' => '\t',
                'n' => '\n',
                'r' => '\r',
                'b' => '\b',
                'f' => '\f',
                '0' => '\0',
                var other => other,
            });
        }

        return text.ToString();
    }
}
