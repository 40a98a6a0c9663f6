using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Ingest.Cli.Commands;

/// <summary>Examples below the help of each command.</summary>
internal static class CommandExamples
{
    private static readonly Dictionary<string, string[]> Examples = new(StringComparer.Ordinal)
    {
        [""] = [
            "ingest simulate --drivers 500 --minutes 10",
            "ingest query \"SELECT count() FROM gps_points\"",
        ],
        ["stream "] = ["ingest stream gps trace.csv", "ingest stream events clicks.ndjson.gz"],
        ["stream gps "] = [
            "ingest stream gps geolife/plt",
            "ingest stream gps trips.csv --map when=timestamp --map cab=driver_id --utc-offset -07:00",
        ],
        ["stream events "] = [
            "ingest stream events bts_men.csv",
            "ingest stream events log.csv --map user=entity_id --set entity_type=user --set event_type=visit",
        ],
        ["stream metrics "] = ["ingest stream metrics campaigns.csv --map campaign=campaign_id"],
        ["stream orders "] = [
            "ingest stream orders orders.csv --date 2019-06-01 --utc-offset -05:00",
            "ingest stream orders trips.csv --map pickup_time=placed_at --set status=delivered",
        ],
        ["subscribe "] = [
            "ingest subscribe eta-predictions --key order-4711",
            "ingest subscribe 'alerts' --filter severity=CRITICAL --from 1h --name pager >> alerts.ndjson",
            "ingest subscribe '>' --from earliest --json | jq -c 'select(.gap)'",
        ],
        ["query "] = [
            "ingest query \"SELECT driver_id, count() FROM gps_points GROUP BY driver_id LIMIT 10\"",
            "ingest query \"SELECT * FROM orders\" --format CSVWithNames > orders.csv",
        ],
        ["simulate "] = [
            "ingest simulate --drivers 500 --minutes 10",
            "ingest simulate --drivers 50 --minutes 60 --rate realtime",
        ],
        ["dead-letters "] = ["ingest dead-letters list", "ingest dead-letters replay --table gps_points --since 2h"],
        ["dead-letters list "] = [
            "ingest dead-letters list --table gps_points --since 2h",
            "ingest dead-letters list --reason REFUSED_BY_STORE --json",
        ],
        ["dead-letters show "] = ["ingest dead-letters show 5f0c2a91"],
        ["dead-letters replay "] = [
            "ingest dead-letters replay 5f0c2a91 77e0b3d2",
            "ingest dead-letters replay --table gps_points --reason REFUSED_BY_STORE",
        ],
        ["log "] = ["ingest log inspect --data /var/lib/ingest", "ingest log verify --data /var/lib/ingest"],
        ["log inspect "] = ["ingest log inspect --producers", "ingest log inspect --data /var/lib/ingest --json"],
        ["log verify "] = ["ingest log verify --data /var/lib/ingest"],
        ["log repair "] = ["ingest log repair --dry-run", "ingest log repair --data /var/lib/ingest"],
        ["log quarantine "] = ["ingest log quarantine list"],
        ["log quarantine list "] = ["ingest log quarantine list --data /var/lib/ingest"],
        ["log quarantine show "] = ["ingest log quarantine show gps_points-7529881886720000001-refused --rows 3"],
        ["log quarantine restore "] = ["ingest log quarantine restore gps_points-7529881886720000001-refused"],
        ["health "] = ["ingest health --server http://127.0.0.1:7400"],
        ["version "] = ["ingest version"],
    };

    /// <summary>The commands of a result after `ingest`, each with a blank behind.</summary>
    public static string PathOf(ParseResult result)
    {
        var path = "";
        for (var command = result.CommandResult; command.Parent is System.CommandLine.Parsing.CommandResult parent;
            command = parent)
        {
            path = $"{command.Command.Name} {path}";
        }
        return path;
    }

    /// <summary>Adds them to the help of a root and of all commands below it.</summary>
    public static void AddTo(RootCommand root)
    {
        foreach (var option in root.Options)
        {
            if (option is HelpOption { Action: SynchronousCommandLineAction help } helpOption)
            {
                helpOption.Action = new HelpWithExamples(help);
            }
        }
    }

    private sealed class HelpWithExamples(SynchronousCommandLineAction help) : SynchronousCommandLineAction
    {
        // Help is given also where arguments are missing.
        public override bool ClearsParseErrors => true;

        public override int Invoke(ParseResult parseResult)
        {
            var exitCode = help.Invoke(parseResult);
            if (Examples.TryGetValue(PathOf(parseResult), out var examples))
            {
                var output = parseResult.InvocationConfiguration.Output;
                output.WriteLine(examples.Length == 1 ? "Example:" : "Examples:");
                foreach (var example in examples)
                {
                    output.WriteLine($"  {example}");
                }
                output.WriteLine();
            }
            return exitCode;
        }
    }
}
