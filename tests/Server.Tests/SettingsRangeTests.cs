using System.Reflection;
using Microsoft.Extensions.Configuration;

namespace Ingest.Server.Tests;

/// <summary>A value out of range ends the start with a sentence that names its key, whichever setting it is.</summary>
public sealed class SettingsRangeTests
{
    private const string Shard = "http://127.0.0.1:8123";

    /// <summary>Every number and time: none of them may be negative.</summary>
    public static TheoryData<string, string> Negative
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach ((string key, Type type) in Settings(ServerOptions.Section, typeof(ServerOptions)))
            {
                if (type == typeof(TimeSpan))
                {
                    data.Add(key, "-00:00:01");
                }
                else if (type == typeof(int) || type == typeof(long) || type == typeof(double))
                {
                    data.Add(key, "-1");
                }
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Negative))]
    [InlineData("Ingest:Log:BatchRows", "0")]
    [InlineData("Ingest:Log:BatchBytes", "0")]
    [InlineData("Ingest:Log:SegmentsPerSecond", "0")]
    [InlineData("Ingest:Log:SegmentsPerSecond", "NaN")]
    [InlineData("Ingest:Log:SegmentBytes", "0")]
    [InlineData("Ingest:Log:SegmentRows", "0")]
    [InlineData("Ingest:Log:SegmentAge", "0")]
    [InlineData("Ingest:Log:QueueBytes", "-1")]
    [InlineData("Ingest:Log:OpenBatches", "0")]
    [InlineData("Ingest:Log:DataDirectory", "/elsewhere")]
    [InlineData("Ingest:Sql:MaxThreads", "0")]
    [InlineData("Ingest:Sql:UnreadTimeout", "0")]
    [InlineData("Ingest:Sql:DefaultFormat", "a b")]
    [InlineData("Ingest:Store:MaxConcurrentQueries", "0")]
    [InlineData("Ingest:Store:DeduplicationWindow", "0")]
    [InlineData("Ingest:Store:RetryDelay", "0")]
    [InlineData("Ingest:StopTimeout", "100.00:00:00")]
    [InlineData("Ingest:Grpc:DrainGrace", "100.00:00:00")]
    public void A_value_out_of_range_is_named_by_its_key(string key, string value)
    {
        string? fault = Fault(new() { [key] = value });
        Assert.NotNull(fault);
        Assert.Contains(key, fault, StringComparison.Ordinal);
    }

    [Fact]
    public void The_defaults_are_in_range() => Assert.Null(Fault([]));

    private static string? Fault(Dictionary<string, string?> settings)
    {
        var configuration = new ConfigurationManager();
        settings.TryAdd("Ingest:Store:Kind", "clickhouse");
        settings.TryAdd("Ingest:Store:ClickHouse:Shards:0", Shard);
        configuration.AddInMemoryCollection(settings);
        SettingsReader.TryRead(configuration, out _, out string? fault);
        return fault is "" ? null : fault;
    }

    private static IEnumerable<(string Key, Type Type)> Settings(string prefix, Type type) =>
        from property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
        where property.CanWrite
        let key = $"{prefix}:{property.Name}"
        from setting in property.PropertyType.Namespace!.StartsWith("Ingest", StringComparison.Ordinal)
            ? Settings(key, property.PropertyType)
            : [(key, property.PropertyType)]
        select setting;
}
