using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Configs;
using Google.Protobuf.WellKnownTypes;
using Ingest.Log;
using Ingest.Stores;
using Ingest.Topics;
using Ingest.V1;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ingest.Micro;

/// <summary>
/// An update through a topic: published with its fsync, many at a time and one after the other; read by a cursor with
/// nothing, with its token, with keys and a filter, and conflated. Beside it <see cref="FileTopic"/>, which can do
/// none of this but publish and read.
/// </summary>
[MemoryDiagnoser]
[GroupBenchmarksBy(BenchmarkLogicalGroupRule.ByCategory)]
[CategoriesColumn]
public class TopicBenchmarks
{
    private const int Updates = 8192;

    private readonly string _directory = Directory.CreateTempSubdirectory("ingest-topics-").FullName;
    private readonly EtaPrediction _prediction = new()
    {
        OrderId = "order-1234567", DriverId = "driver-1234", DeliveryEta = Timestamp.FromDateTime(DateTime.UnixEpoch),
        DeliveryEtaMinutes = 17.5, Confidence = 0.8, Timestamp = Timestamp.FromDateTime(DateTime.UnixEpoch),
        Factors =
        {
            new EtaFactor { Name = "traffic", Minutes = 4 }, new EtaFactor { Name = "preparation", Minutes = 8 },
        },
        Provenance = new Provenance
        {
            Agent = "eta", AgentVersion = "1", Source = Source.Rules, Inputs = { "orders/1234567" },
        },
    };

    private IngestPipeline _pipeline = null!;
    private FileTopic _fileTopic = null!;
    private FileTopic _fileTopicRead = null!;

    /// <summary>
    /// Starts a pipeline with a log and no store, and fills the topic that is read; in-process runs await no setup.
    /// </summary>
    [GlobalSetup]
    public void Start()
    {
        var options = new PipelineOptions
        {
            Log = new LogOptions { DataDirectory = _directory },
            Store = new StoreOptions { Kind = StoreOptions.NullKind },
            Topics = new TopicOptions { MaxCount = Updates },
        };
        _pipeline = IngestPipeline.OpenAsync(options, NullLoggerFactory.Instance, TimeProvider.System, default)
            .GetAwaiter().GetResult();
        PublishManyAsync("read").GetAwaiter().GetResult();
        _fileTopic = new FileTopic(Path.Combine(_directory, "written"), Updates);
        _fileTopicRead = new FileTopic(Path.Combine(_directory, "read"), Updates);
        PublishManyAsync(_fileTopicRead).GetAwaiter().GetResult();
    }

    /// <summary>Stops it.</summary>
    [GlobalCleanup]
    public void Stop()
    {
        _pipeline.DisposeAsync().AsTask().GetAwaiter().GetResult();
        _fileTopic.DisposeAsync().AsTask().GetAwaiter().GetResult();
        _fileTopicRead.DisposeAsync().AsTask().GetAwaiter().GetResult();
        Directory.Delete(_directory, recursive: true);
    }

    /// <summary>Published to a channel, a file and a list, with thousands under way.</summary>
    [Benchmark(Baseline = true, OperationsPerInvoke = Updates)]
    [BenchmarkCategory("publish")]
    public Task PublishManyToFile() => PublishManyAsync(_fileTopic);

    /// <summary>Published and durable, with thousands under way.</summary>
    [Benchmark(OperationsPerInvoke = Updates)]
    [BenchmarkCategory("publish")]
    public Task PublishMany() => PublishManyAsync("written");

    /// <summary>Published to a channel, a file and a list, each awaited: one fsync each.</summary>
    [Benchmark(Baseline = true)]
    [BenchmarkCategory("publish one")]
    public Task<long> PublishOneToFile() => _fileTopic.PublishAsync(_prediction);

    /// <summary>Published and durable, each awaited: one fsync each.</summary>
    [Benchmark]
    [BenchmarkCategory("publish one")]
    public Task<TopicUpdate> PublishOne() => _pipeline.Topics.PublishAsync("written", "key", _prediction).AsTask();

    /// <summary>Read from a list under a lock.</summary>
    [Benchmark(Baseline = true, OperationsPerInvoke = Updates)]
    [BenchmarkCategory("read")]
    public long ReadList()
    {
        long sum = 0;
        for (int i = 0; _fileTopicRead.Read(i) is { } update; i++)
        {
            sum += update.Length;
        }

        return sum;
    }

    /// <summary>Read.</summary>
    [Benchmark(OperationsPerInvoke = Updates)]
    [BenchmarkCategory("read")]
    public long Read() => ReadAll(new SubscriptionOptions { Topics = ["read"], Position = StartPosition.Earliest });

    /// <summary>Read, the token after each.</summary>
    [Benchmark(OperationsPerInvoke = Updates)]
    [BenchmarkCategory("read")]
    public long ReadWithToken() => ReadAll(
        new SubscriptionOptions { Topics = ["read"], Position = StartPosition.Earliest }, withToken: true);

    /// <summary>Read by 10 of 1,000 keys: what a cursor passes over.</summary>
    [Benchmark(OperationsPerInvoke = Updates)]
    [BenchmarkCategory("read")]
    public long ReadKeys() => ReadAll(new SubscriptionOptions
    {
        Topics = ["read"], Position = StartPosition.Earliest, Keys = [.. Enumerable.Range(0, 10).Select(i =>
            $"order-{i}")],
    });

    /// <summary>Read with a condition on two fields of the payload, one of them nested.</summary>
    [Benchmark(OperationsPerInvoke = Updates)]
    [BenchmarkCategory("read")]
    public long ReadFiltered() => ReadAll(new SubscriptionOptions
    {
        Topics = ["read"], Position = StartPosition.Earliest,
        Filter = new Filter
        {
            AllOf = new FilterList
            {
                Filters =
                {
                    Compare("confidence", ComparisonOperator.GreaterOrEqual, new Scalar { Number = 0.5 }),
                    Compare("provenance.source", ComparisonOperator.Equal, new Scalar { Text = "RULES" }),
                },
            },
        },
    });

    /// <summary>The last of 1,000 keys among all, an update passed over.</summary>
    [Benchmark(OperationsPerInvoke = Updates)]
    [BenchmarkCategory("read")]
    public long LastPerKey() =>
        ReadAll(new SubscriptionOptions { Topics = ["read"], Position = StartPosition.LastPerKey });

    private static Filter Compare(string field, ComparisonOperator comparison, Scalar value) =>
        new() { Comparison = new Comparison { Field = field, Operator = comparison, Value = value } };

    private Task PublishManyAsync(string topic)
    {
        var updates = new Task[Updates];
        for (int i = 0; i < updates.Length; i++)
        {
            updates[i] = _pipeline.Topics.PublishAsync(topic, $"order-{i % 1000}", _prediction).AsTask();
        }

        return Task.WhenAll(updates);
    }

    private Task PublishManyAsync(FileTopic topic)
    {
        var updates = new Task[Updates];
        for (int i = 0; i < updates.Length; i++)
        {
            updates[i] = topic.PublishAsync(_prediction);
        }

        return Task.WhenAll(updates);
    }

    private long ReadAll(SubscriptionOptions options, bool withToken = false)
    {
        using Subscription subscription = _pipeline.Topics.SubscribeAsync(options).AsTask().GetAwaiter().GetResult();
        long sum = 0;
        while (subscription.TryRead(out SubscriptionItem item))
        {
            sum += item.Update!.Offset + (withToken ? subscription.ResumeToken[^1] : 0);
        }

        return sum;
    }
}
