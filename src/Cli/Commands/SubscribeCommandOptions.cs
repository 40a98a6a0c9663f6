using System.CommandLine;
using Ingest.Cli.DeadLetters;
using Ingest.Cli.Subscribing;
using Ingest.Client;
using Ingest.V1;

namespace Ingest.Cli.Commands;

/// <summary>The options of `ingest subscribe`.</summary>
internal sealed class SubscribeCommandOptions
{
    private static readonly Dictionary<string, OverflowPolicy> Policies = new(StringComparer.Ordinal)
    {
        ["block"] = OverflowPolicy.Block,
        ["drop-oldest"] = OverflowPolicy.DropOldest,
        ["conflate"] = OverflowPolicy.Conflate,
        ["disconnect"] = OverflowPolicy.Disconnect,
    };

    private readonly Argument<string[]> _topics = new("TOPICS")
    {
        Description = "Topics, such as eta-predictions; * stands for one token, > at the end for the rest",
        Arity = ArgumentArity.OneOrMore,
    };

    private readonly Option<string[]> _keys = new("--key")
    {
        Description = "Updates of this key, for example an order; may be given more than once", HelpName = "key",
    };

    private readonly Option<string[]> _filters = new("--filter")
    {
        Description = "A condition on the payload: confidence>=0.8, 'kind in late,lost', "
            + "'location within 52.52,13.40,2500', or a Filter in JSON; of several, all have to hold",
        HelpName = "condition",
    };

    private readonly Option<string?> _from = new("--from")
    {
        Description = "Where to start: new, earliest, last (the last update of each key, then new ones), a time "
            + "(10m, 2026-01-31T19:30:00Z), or a resume token [default: new, or where --name was left]",
        HelpName = "place",
    };

    private readonly Option<string?> _overflow = new("--overflow")
    {
        Description = "What the server does when this reads too slowly: block, drop-oldest, conflate or disconnect "
            + "[default: disconnect; it then goes on where it was]",
        HelpName = "policy",
    };

    private readonly Option<string?> _name = new("--name")
    {
        Description = "A place that the server keeps: the next subscription of the name goes on there", HelpName = "name",
    };

    private readonly Option<long?> _count = new("--count")
    {
        Description = "Ends after so many updates", HelpName = "updates",
    };

    private readonly Option<bool> _json = new("--json")
    {
        Description = "JSON lines, {\"update\": ...} or {\"gap\": ...}, also on a terminal [default: when output is no terminal]",
    };

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        command.Add(_topics);
        foreach (Option option in new Option[] { _keys, _filters, _from, _overflow, _name, _count, _json })
        {
            command.Add(option);
        }
    }

    /// <summary>Whether JSON is asked for.</summary>
    public bool IsJson(ParseResult result) => result.GetValue(_json);

    /// <summary>Updates after which to end; null: never.</summary>
    /// <exception cref="UsageException">It is less than 1.</exception>
    public long? ReadCount(ParseResult result) => result.GetValue(_count) is not < 1
        ? result.GetValue(_count)
        : throw new UsageException("--count has to be at least 1.");

    /// <summary>What the user asked for.</summary>
    /// <exception cref="UsageException">An argument is not what it should be.</exception>
    public SubscribeOptions Read(ParseResult result)
    {
        var options = new SubscribeOptions
        {
            Topics = result.GetRequiredValue(_topics),
            Keys = result.GetValue(_keys) ?? [],
            Filter = FilterText.Parse(result.GetValue(_filters) ?? []),
            Overflow = ParsePolicy(result.GetValue(_overflow)),
            Name = result.GetValue(_name),
        };
        return result.GetValue(_from) switch
        {
            null => options,
            "new" => options with { Position = StartPosition.New },
            "earliest" => options with { Position = StartPosition.Earliest },
            "last" => options with { Position = StartPosition.LastPerKey },
            "" => throw new UsageException("--from is empty."),

            // What is no time is a token; the server says what is wrong with one.
            { } text => LetterFilter.TryParseSince(text, TimeProvider.System.GetUtcNow()) is { } time
                ? options with { Time = time }
                : options with { ResumeToken = text },
        };
    }

    private static OverflowPolicy ParsePolicy(string? text) =>
        text is null ? OverflowPolicy.Unspecified
        : Policies.TryGetValue(text, out var policy) ? policy
        : throw new UsageException($"--overflow {text} is not known; there are {string.Join(", ", Policies.Keys)}.");
}
