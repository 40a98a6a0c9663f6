using System.CommandLine;
using System.Globalization;
using Ingest.Cli.Binding;
using Ingest.Cli.Input;
using Ingest.Cli.Streaming;
using Ingest.Client;

namespace Ingest.Cli.Commands;

/// <summary>The arguments of `ingest stream`.</summary>
internal sealed class StreamCommandOptions
{
    private const int BytesPerRow = 256;
    private const int SmallestBatchBytes = 64 * 1024;
    private const int LargestBatchBytes = 4 * 1024 * 1024;

    private readonly Argument<string[]> _files = new("FILE")
    {
        Description = "Files (also .gz), directories (with all below), or - for standard input",
        Arity = ArgumentArity.OneOrMore,
    };

    private readonly Option<string[]> _map = new("--map")
    {
        Description = "Which field a column is, before the names that are known; repeatable",
        HelpName = "column=field",
    };

    private readonly Option<string[]> _set = new("--set")
    {
        Description = "A value for a field of every row; repeatable",
        HelpName = "field=value",
    };

    private readonly Option<string?> _format = new("--format")
    {
        Description = $"{string.Join(", ", InputFormats.Names)} [default: told by the first line]",
        HelpName = "name",
    };

    private readonly Option<string?> _utcOffset = new("--utc-offset")
    {
        Description = "Zone of times that say none, for example -07:00 [default: UTC; trips +08:00]",
        HelpName = "±hh:mm",
    };

    private readonly Option<string?> _date = new("--date")
    {
        Description = "Day of times of day without one; month of trips [trips: 2014-08]",
        HelpName = "yyyy-mm-dd",
    };

    private readonly Option<int> _batch = new("--batch")
    {
        Description = "Most rows of one message",
        HelpName = "rows",
        DefaultValueFactory = _ => new StreamOptions().MaxBatchRows,
    };

    private readonly Option<double?> _rate = new("--rate")
    {
        Description = "Rows a second [default: as fast as it goes]",
        HelpName = "rows",
    };

    private readonly Option<int> _streams = new("--streams")
    {
        Description = "Streams side by side; each takes whole files",
        HelpName = "count",
        DefaultValueFactory = _ => 1,
    };

    /// <summary>Adds them to a command.</summary>
    public void AddTo(Command command)
    {
        command.Add(_files);
        foreach (Option option in new Option[] { _map, _set, _format, _utcOffset, _date, _batch, _rate, _streams })
        {
            command.Add(option);
        }
    }

    /// <summary>What the user asked for.</summary>
    /// <exception cref="UsageException">An argument is not what it should be.</exception>
    /// <exception cref="FileNotFoundException">A path is none.</exception>
    public StreamSettings ToSettings(ParseResult result)
    {
        var batch = AtLeastOne(result, _batch);
        var rate = result.GetValue(_rate);
        if (rate is not (null or > 0 and < double.PositiveInfinity))
        {
            throw new UsageException("--rate has to be more than 0.");
        }
        var format = result.GetValue(_format);
        return new StreamSettings
        {
            Files = InputFile.Expand(result.GetRequiredValue(_files)),
            Format = format is null
                ? null
                : InputFormats.Find(format) ?? throw new UsageException(
                    $"--format {format} is not known; there are {string.Join(", ", InputFormats.Names)}."),
            Streams = AtLeastOne(result, _streams),
            RowsPerSecond = rate,
            Binding = new BindingOptions
            {
                Map = Pairs(result, _map).ToDictionary(pair => pair.Key, pair => pair.Value, StringComparer.Ordinal),
                Constants = Pairs(result, _set),
                UtcOffset = ParseOffset(result.GetValue(_utcOffset)),
                Date = ParseDate(result.GetValue(_date)),
            },
            Stream = new StreamOptions
            {
                MaxBatchRows = batch,
                MaxBatchBytes = (int)Math.Clamp((long)batch * BytesPerRow, SmallestBatchBytes, LargestBatchBytes),
            },
        };
    }

    private static int AtLeastOne(ParseResult result, Option<int> option)
    {
        var value = result.GetValue(option);
        return value > 0 ? value : throw new UsageException($"{option.Name} has to be at least 1.");
    }

    private static List<KeyValuePair<string, string>> Pairs(ParseResult result, Option<string[]> option)
    {
        var pairs = new List<KeyValuePair<string, string>>();
        foreach (var text in result.GetValue(option) ?? [])
        {
            var equals = text.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0 || pairs.Exists(pair => pair.Key == text[..equals]))
            {
                throw new UsageException(equals <= 0
                    ? $"{option.Name} {text} is not {option.HelpName}."
                    : $"{option.Name} says {text[..equals]} twice.");
            }
            pairs.Add(new(text[..equals], text[(equals + 1)..]));
        }
        return pairs;
    }

    private static TimeSpan? ParseOffset(string? text)
    {
        if (text is null)
        {
            return null;
        }
        var isNegative = text.StartsWith('-');
        return TimeSpan.TryParseExact(
            text.TrimStart('+', '-'), @"hh\:mm", CultureInfo.InvariantCulture, out var offset)
            ? isNegative ? -offset : offset
            : throw new UsageException($"--utc-offset {text} is not ±hh:mm.");
    }

    private static DateOnly? ParseDate(string? text)
    {
        if (text is null)
        {
            return null;
        }
        return DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var date)
            || DateOnly.TryParseExact(text, "yyyy-MM", CultureInfo.InvariantCulture, DateTimeStyles.None, out date)
            ? date
            : throw new UsageException($"--date {text} is not yyyy-mm-dd.");
    }
}
