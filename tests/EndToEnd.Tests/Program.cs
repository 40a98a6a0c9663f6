using Ingest.EndToEnd.Tests.Overload;

// The test runner loads the assembly and does not come here; tests start it as the process that makes load.
if (args is ["load", ..])
{
    await LoadProcess.RunAsync(LoadOptions.Parse(args));
}
