using System.Globalization;
using Ingest.Tests.Decoding.Instructions;
using Ingest.Tests.Log;
using Ingest.Tests.Stores;
using Ingest.Tests.Topics;

// The test runner loads the assembly and does not come here; tests start it as the process that they kill.
if (args is ["log-writer", var directory, var first])
{
    await LogWriterProcess.RunAsync(directory, long.Parse(first, CultureInfo.InvariantCulture));
}
else if (args is ["store", var storeDirectory, var segment, var token])
{
    await StoreProcess.RunAsync(storeDirectory, segment, token);
}
else if (args is ["topic-writer", var topicDirectory, var run, var epoch])
{
    await TopicWriterProcess.RunAsync(topicDirectory, run, epoch);
}
else if (args is ["decode"])
{
    DecodeProcess.Run();
}
