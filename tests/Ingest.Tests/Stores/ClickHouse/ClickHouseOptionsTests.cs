using Ingest.Stores;
using Ingest.Stores.ClickHouse;

namespace Ingest.Tests.Stores.ClickHouse;

public sealed class ClickHouseOptionsTests
{
    private static readonly ClickHouseOptions s_valid = new() { Shards = ["http://a:8123", "https://b"] };

    [Fact]
    public void Shards_are_lists_of_urls()
    {
        ClickHouseOptions options = s_valid with { Shards = ["http://a:1, http://b:2/path", "https://c"], Cluster = "x" };
        Assert.Empty(options.Validate());
        Assert.Equal(
            [["http://a:1/", "http://b:2/path"], ["https://c/"]],
            options.Replicas().Select(shard => shard.Select(url => url.AbsoluteUri).ToArray()).ToArray());
    }

    [Fact]
    public void Every_fault_is_told_with_its_key()
    {
        var options = new StoreOptions
        {
            Kind = StoreOptions.ClickHouseKind,
            ClickHouse = new ClickHouseOptions
            {
                Shards = ["", "ftp://a", "http://u:p@a", "http://a/?x=1", "http://a,http://b", "http://a"],
                User = "a:b", Database = "", InsertQuorum = "most", CertificateAuthorityFile = "/nowhere/ca.pem",
                Compression = "zstd", InsertTimeout = TimeSpan.Zero,
            },
        };
        string[] keys = [.. options.Validate().Select(fault => fault[..fault.IndexOf(' ', StringComparison.Ordinal)])];
        Assert.Equal(
            ["ClickHouse:Shards:0", "ClickHouse:Shards:1", "ClickHouse:Shards:2", "ClickHouse:Shards:3",
                "ClickHouse:Shards:4", "ClickHouse:Shards", "ClickHouse:User", "ClickHouse:Database",
                "ClickHouse:InsertQuorum", "ClickHouse:CertificateAuthorityFile", "ClickHouse:Compression",
                "ClickHouse:InsertTimeout"],
            keys);
    }

    [Fact]
    public void Servers_that_are_not_used_are_not_looked_at()
    {
        Assert.Empty(new StoreOptions().Validate());
        Assert.Equal(
            ["Kind is 'postgres'; embedded, clickhouse or null is expected."],
            new StoreOptions { Kind = "postgres" }.Validate());
        Assert.StartsWith(
            "ClickHouse:Shards is empty",
            new StoreOptions { Kind = StoreOptions.ClickHouseKind }.Validate().Single(), StringComparison.Ordinal);
    }

    [Fact]
    public void Replicas_without_a_cluster_would_not_be_replicas()
    {
        ClickHouseOptions options = s_valid with { Shards = ["http://a,http://b"] };
        Assert.Contains("Cluster", options.Validate().Single(), StringComparison.Ordinal);
        Assert.Empty((options with { Cluster = "main" }).Validate());
    }
}
