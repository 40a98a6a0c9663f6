using System.Globalization;
using Ingest.Tests.Log;

// The test runner loads the assembly and does not come here; tests start it as the process that they kill.
if (args is ["log-writer", var directory, var first])
{
    await LogWriterProcess.RunAsync(directory, long.Parse(first, CultureInfo.InvariantCulture));
}
