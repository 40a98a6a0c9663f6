using System.Globalization;
using System.Text.Json;
using Ingest.Cli.Query;

namespace Ingest.Cli.DeadLetters;

/// <summary>Reads dead letters with SQL.</summary>
internal sealed class LetterBox(QueryClient client)
{
    /// <summary>What the producers begin with that replayed letters come from; the letter's id follows.</summary>
    public const string ProducerPrefix = "dead-letter-";

    // A row of a producer is known by its offset, however often its letter was written. Of others equal letters are
    // numbered, within what they share, so that each keeps its id whatever else is asked for.
    private const string Letters =
        """
        SELECT *, lower(hex(if(producer_id != '' AND producer_offset >= 0,
            sipHash64(`table`, producer_id, producer_offset, `row`),
            sipHash64(segment_id, `table`, reason, field, producer_id, producer_offset, `row`, toUInt64(number))))) AS id
        FROM (SELECT *, row_number() OVER (
            PARTITION BY segment_id, `table`, reason, field, producer_id, producer_offset, `row`) AS number FROM dead_letters)
        """;

    /// <summary>Reads letters, the latest first; one that was written twice comes once.</summary>
    /// <param name="filter">Which.</param>
    /// <param name="limit">How many at most.</param>
    /// <param name="cancellationToken">Ends the query.</param>
    /// <exception cref="QueryException">The server cannot be reached, or refused.</exception>
    public Task<List<Letter>> ReadAsync(LetterFilter filter, long limit, CancellationToken cancellationToken) => RowsAsync(
        "SELECT id, toString(toUnixTimestamp64Milli(received_at)) AS at, `table`, reason, field, producer_id, "
        + $"toString(producer_offset) AS offset, base64Encode(`row`) AS bytes FROM ({Letters}) WHERE {filter.ToSql()} "
        + string.Create(
            CultureInfo.InvariantCulture, $"ORDER BY received_at DESC, producer_id, producer_offset, id LIMIT 1 BY id LIMIT {limit}"),
        row => new Letter(
            Text(row, "id"),
            DateTimeOffset.FromUnixTimeMilliseconds(long.Parse(Text(row, "at"), CultureInfo.InvariantCulture)),
            Text(row, "table"), Text(row, "reason"), Text(row, "field"), Text(row, "producer_id"),
            long.Parse(Text(row, "offset"), CultureInfo.InvariantCulture), Convert.FromBase64String(Text(row, "bytes"))),
        cancellationToken);

    /// <summary>Ids of the letters whose replay has come to something: a row of the table, or another dead letter.</summary>
    /// <exception cref="QueryException">The server cannot be reached, or refused.</exception>
    public async Task<HashSet<string>> ReplayedAsync(string table, CancellationToken cancellationToken)
    {
        var ids = new HashSet<string>(StringComparer.Ordinal);
        foreach (var place in new[] { table, "dead_letters" })
        {
            ids.UnionWith(await RowsAsync(
                $"SELECT DISTINCT substring(producer_id, {ProducerPrefix.Length + 1}) AS id FROM `{place}` "
                + $"WHERE startsWith(producer_id, '{ProducerPrefix}')",
                row => Text(row, "id"), cancellationToken));
        }
        return ids;
    }

    private async Task<List<T>> RowsAsync<T>(string sql, Func<JsonElement, T> read, CancellationToken cancellationToken)
    {
        var rows = new List<T>();
        await client.ReadAsync(
            QueryText.WithFormat(sql, "JSONEachRow"),
            async answer =>
            {
                using var reader = new StreamReader(answer);
                while (await reader.ReadLineAsync(cancellationToken) is { } line)
                {
                    using var row = JsonDocument.Parse(line);
                    rows.Add(read(row.RootElement));
                }
            },
            cancellationToken);
        return rows;
    }

    private static string Text(JsonElement row, string name) => row.GetProperty(name).GetString()!;
}
