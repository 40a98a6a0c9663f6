using System.Globalization;
using System.Text;
using Ingest.Log;
using Ingest.Stores;
using Ingest.Topics;
using Ingest.V1;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ingest.Tests.Topics;

/// <summary>
/// A process with topics on a log and an engine of its own that first reads all that was ever published, and then
/// publishes until it is killed. Run as `Ingest.Tests topic-writer DIRECTORY RUN EPOCH`; EPOCH is that of the first
/// run, or -. Says `epoch EPOCH NEXT`, `had OFFSET ID` and `gap ...` for what it reads, `ready`, then `OFFSET ID .` for
/// each update that is durable.
/// </summary>
internal static class TopicWriterProcess
{
    private const int Publishers = 3;

    public static async Task RunAsync(string directory, string run, string epoch)
    {
        var options = new PipelineOptions
        {
            Log = new LogOptions { DataDirectory = directory, SegmentAge = TimeSpan.FromMilliseconds(100) },
            Store = new StoreOptions(),
            Topics = new TopicOptions { MaxCount = 100 },
        };
        await using IngestPipeline pipeline = await IngestPipeline.OpenAsync(
            options, NullLoggerFactory.Instance, TimeProvider.System, default);
        TextWriter output = TextWriter.Synchronized(Console.Out);
        TopicStatus status = pipeline.Topics.Topics.Single(topic => topic.Name == "alerts");
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"epoch {status.Epoch} {status.NextOffset}"));
        await ReadAsync(pipeline.Topics, epoch == "-" ? status.Epoch : epoch, status.NextOffset, output);
        output.WriteLine("ready");
        await Task.WhenAll(Enumerable.Range(0, Publishers).Select(async publisher =>
        {
            for (int i = 0; ; i++)
            {
                string id = string.Create(CultureInfo.InvariantCulture, $"{run}-{publisher}-{i}");
                TopicUpdate update = await pipeline.Topics.PublishAsync("alerts", id, new Alert { AlertId = id });
                output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{update.Offset} {id} ."));
            }
        }));
    }

    private static async Task ReadAsync(TopicHub hub, string epoch, long next, TextWriter output)
    {
        var token = new ResumeToken([new TopicPlace("alerts", epoch, 0)]);
        using Subscription subscription = await hub.SubscribeAsync(new SubscriptionOptions
        {
            Topics = ["alerts"], ResumeToken = Encoding.ASCII.GetString(token.Text), Overflow = OverflowPolicy.Block,
        });
        while (subscription.Cursors[0] is var cursor && (cursor.IsEarlier || cursor.Position < next))
        {
            if (!subscription.TryRead(out SubscriptionItem item))
            {
                await subscription.WaitToReadAsync();
            }
            else if (item.Update is { } update)
            {
                output.WriteLine(string.Create(
                    CultureInfo.InvariantCulture, $"had {update.Offset} {update.Content.Alert.AlertId}"));
            }
            else
            {
                output.WriteLine($"gap {item.Gap}");
            }
        }
    }
}
