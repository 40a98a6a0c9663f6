using System.Globalization;
using System.Text;
using Spectre.Console;

namespace Ingest.Cli.Query;

/// <summary>Shows an answer in TabSeparatedWithNamesAndTypes as a table.</summary>
internal static class QueryTable
{
    /// <summary>Rows that are shown; a person reads no more.</summary>
    public const int MaxRows = 1_000;

    /// <summary>Reads an answer and writes the table.</summary>
    public static async Task WriteAsync(Stream answer, IAnsiConsole console, CancellationToken cancellationToken)
    {
        using var reader = new StreamReader(answer, Encoding.UTF8);
        var names = await reader.ReadLineAsync(cancellationToken);
        var types = await reader.ReadLineAsync(cancellationToken);
        if (names is null || types is null)
        {
            return;
        }
        var table = CreateTable(names.Split('\t'), types.Split('\t'));
        var rows = 0L;
        while (await reader.ReadLineAsync(cancellationToken) is { } line)
        {
            if (++rows <= MaxRows)
            {
                table.AddRow(Array.ConvertAll(line.Split('\t'), cell => new Text(Unescape(cell))));
            }
        }
        console.Write(table);
        var count = string.Create(CultureInfo.InvariantCulture, $"{rows:N0} {(rows == 1 ? "row" : "rows")}");
        console.MarkupLine(rows > MaxRows
            ? $"[grey]{count}, the first {MaxRows:N0} shown; a pipe or --format gets all[/]"
            : $"[grey]{count}[/]");
    }

    /// <summary>A value without the escapes of ClickHouse's TabSeparated: `\t \n \\ \N` and their like.</summary>
    public static string Unescape(string cell)
    {
        if (cell == @"\N")
        {
            return "NULL";
        }
        if (!cell.Contains('\\', StringComparison.Ordinal))
        {
            return cell;
        }
        var text = new StringBuilder(cell.Length);
        for (var i = 0; i < cell.Length; i++)
        {
            if (cell[i] != '\\' || i + 1 == cell.Length)
            {
                text.Append(cell[i]);
                continue;
            }
            i++;
            text.Append(cell[i] switch
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

    private static Table CreateTable(string[] names, string[] types)
    {
        var table = new Table().Border(TableBorder.Rounded);
        for (var i = 0; i < names.Length; i++)
        {
            var column = new TableColumn(new Text(Unescape(names[i])));
            table.AddColumn(IsNumber(types[i]) ? column.RightAligned() : column);
        }
        return table;
    }

    private static bool IsNumber(string type)
    {
        var inner = type.StartsWith("Nullable(", StringComparison.Ordinal) ? type["Nullable(".Length..] : type;
        return inner.StartsWith("Int", StringComparison.Ordinal) || inner.StartsWith("UInt", StringComparison.Ordinal)
            || inner.StartsWith("Float", StringComparison.Ordinal)
            || inner.StartsWith("Decimal", StringComparison.Ordinal);
    }
}
