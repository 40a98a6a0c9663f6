using System.CommandLine;
using Ingest.Cli;
using Ingest.Cli.Commands;

var console = CommandConsole.OfProcess();
var result = IngestCommand.Create(console).Parse(args);
if (result.Errors.Count > 0)
{
    console.Error.WriteLine($"ingest: {result.Errors[0].Message} (ingest {CommandExamples.PathOf(result)}--help)");
    return ExitCode.Usage;
}
return await result.InvokeAsync(new InvocationConfiguration
{
    Output = console.Out,
    Error = console.Error,
    EnableDefaultExceptionHandler = false,
});
