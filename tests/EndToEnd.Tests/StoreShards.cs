using System.Buffers.Binary;
using System.Globalization;
using Ingest.Stores;

namespace Ingest.EndToEnd.Tests;

/// <summary>ClickHouse servers in processes of their own, one a shard, and what rows of a load they have.</summary>
internal sealed class StoreShards : IAsyncDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("ingest-shards-").FullName;
    private readonly List<StandIn> _servers = [];

    /// <summary>The servers.</summary>
    public IReadOnlyList<StandIn> Servers => _servers;

    /// <summary>Settings of a server that has them as its store, with times short enough for tests.</summary>
    public string[] Settings =>
    [
        "Store:Kind=clickhouse", "Log:SegmentAge=00:00:00.200", "Store:RetryDelay=00:00:00.020",
        "Store:MaxRetryDelay=00:00:00.200", "Store:ClickHouse:ConnectTimeout=00:00:01",
        "Store:ClickHouse:StatementTimeout=00:00:02", "Store:ClickHouse:InsertTimeout=00:00:01.500",
        "Store:ClickHouse:BreakDuration=00:00:00.020", "Store:ClickHouse:MaxBreakDuration=00:00:00.200",
        .. _servers.Select((server, i) => $"Store:ClickHouse:Shards:{i}={server.Url}"),
    ];

    /// <summary>Starts so many; the test is skipped where there is no engine.</summary>
    public static async Task<StoreShards> StartAsync(int count)
    {
        Engine.Require();
        var shards = new StoreShards();
        for (int i = 0; i < count; i++)
        {
            shards._servers.Add(await StandIn.StartAsync(Path.Combine(shards._directory, $"shard-{i}")));
        }

        return shards;
    }

    /// <summary>Gives all of them a command.</summary>
    public Task FaultAsync(string command) => Task.WhenAll(_servers.Select(server => server.FaultAsync(command)));

    /// <summary>Ends what was commanded.</summary>
    public Task HealAsync() => FaultAsync("none 0");

    /// <summary>
    /// Asserts that of each producer every row below its offset is in exactly one of the shards, once, and that no row
    /// is there twice.
    /// </summary>
    public async Task ExpectOnceAsync(long[] offsets, string when)
    {
        var found = new Dictionary<int, int>[offsets.Length];
        for (int producer = 0; producer < offsets.Length; producer++)
        {
            found[producer] = [];
        }

        foreach (StandIn server in _servers)
        {
            byte[] rows = await RowsAsync(server);
            for (int at = 0; at < rows.Length; at += 8)
            {
                Dictionary<int, int> counts = found[BinaryPrimitives.ReadInt32LittleEndian(rows.AsSpan(at))];
                int number = BinaryPrimitives.ReadInt32LittleEndian(rows.AsSpan(at + 4));
                counts[number] = counts.GetValueOrDefault(number) + 1;
            }
        }

        for (int producer = 0; producer < offsets.Length; producer++)
        {
            Dictionary<int, int> counts = found[producer];
            int[] twice = [.. counts.Where(pair => pair.Value > 1).Select(pair => pair.Key).Order()];
            Assert.True(twice.Length == 0, Text(producer, twice, $"are there more than once {when}"));
            int[] missing = [.. Enumerable.Range(0, (int)offsets[producer]).Where(number => !counts.ContainsKey(number))];
            Assert.True(missing.Length == 0, Text(producer, missing, $"of {offsets[producer]} are missing {when}"));
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (StandIn server in _servers)
        {
            await server.DisposeAsync();
        }

        Directory.Delete(_directory, recursive: true);
    }

    // Producer and number of each row, 4 bytes each.
    private static async Task<byte[]> RowsAsync(StandIn server)
    {
        try
        {
            return await server.QueryAsync(
                "SELECT toUInt32(substring(driver_id, 8)), toUInt32(order_id) FROM gps_points "
                + "WHERE driver_id LIKE 'driver-%'", "RowBinary");
        }
        catch (StoreException e) when (e.Message.StartsWith("Code: 60.", StringComparison.Ordinal))
        {
            // Nothing came its way yet.
            return [];
        }
    }

    private static string Text(int producer, int[] numbers, string what) => string.Create(
        CultureInfo.InvariantCulture,
        $"{numbers.Length} rows of producer {producer} {what}: {string.Join(", ", numbers.Take(20))}");
}
