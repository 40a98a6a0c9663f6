using Ingest.Cli;
using Ingest.Cli.Commands;

return await IngestCommand.RunAsync(CommandConsole.OfProcess(), args);
