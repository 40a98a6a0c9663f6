using System.Globalization;
using Ingest.Tests.Log;
using Ingest.Tests.Stores;

// The test runner loads the assembly and does not come here; tests start it as the process that they kill.
if (args is ["log-writer", var directory, var first])
{
    await LogWriterProcess.RunAsync(directory, long.Parse(first, CultureInfo.InvariantCulture));
}
else if (args is ["store", var storeDirectory, var segment, var token])
{
    await StoreProcess.RunAsync(storeDirectory, segment, token);
}
