using Spectre.Console;

namespace Ingest.Cli.Commands;

/// <summary>A small report in columns, the same words on a terminal and in a pipe.</summary>
internal sealed class ReportTable
{
    // A pipe has no width; lines of it are not broken.
    private const int PipeWidth = 1_000;

    private readonly Table _table = new Table().Border(TableBorder.None).ShowRowSeparators().NoSafeBorder();

    /// <summary>Makes a table; a heading that ends with <c>#</c> is one of numbers.</summary>
    public ReportTable(params string[] headings)
    {
        _table.ShowRowSeparators = false;
        foreach (var heading in headings)
        {
            var column = new TableColumn(new Text(heading.TrimEnd('#'))) { NoWrap = true, Padding = new Padding(0, 0, 2, 0) };
            _table.AddColumn(heading.EndsWith('#') ? column.RightAligned() : column);
        }
    }

    /// <summary>Rows so far.</summary>
    public int Count => _table.Rows.Count;

    /// <summary>Adds a row.</summary>
    public void Add(params string[] cells) => _table.AddRow(Array.ConvertAll(cells, cell => new Text(cell)));

    /// <summary>Writes the table.</summary>
    public void Write(CommandConsole console)
    {
        var terminal = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(console.Out) });
        if (!console.OutIsTerminal)
        {
            terminal.Profile.Width = PipeWidth;
        }
        terminal.Write(_table);
    }
}
