using System.CommandLine;
using Ingest.Cli.DeadLetters;

namespace Ingest.Cli.Commands;

/// <summary>The options that say which dead letters are meant.</summary>
internal sealed class LetterOptions
{
    private readonly Option<string?> _table = new("--table")
    {
        Description = "Letters of one table", HelpName = "name",
    };

    private readonly Option<string?> _reason = new("--reason")
    {
        Description = "Letters whose reason contains a text", HelpName = "text",
    };

    private readonly Option<string?> _since = new("--since")
    {
        Description = "Letters that came since then: 30m, 6h, 2d, or 2026-01-31T19:30:00Z", HelpName = "time",
    };

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        command.Add(_table);
        command.Add(_reason);
        command.Add(_since);
    }

    /// <summary>What the user asked for.</summary>
    /// <exception cref="UsageException">The time is none.</exception>
    public LetterFilter Read(ParseResult result, IReadOnlyList<string> ids) => new(
        ids, result.GetValue(_table), result.GetValue(_reason),
        result.GetValue(_since) is { } since ? LetterFilter.ParseSince(since, TimeProvider.System.GetUtcNow()) : null);
}
