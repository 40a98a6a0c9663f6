using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Ingest.Tests.Stores.ClickHouse;

/// <summary>
/// Two replicas of the machine's <c>clickhouse-server</c> (Debian has 18.16) with its <c>zookeeper</c>, started with a
/// directory of their own; skips the test when there are none.
/// </summary>
public sealed class OldCluster : IAsyncLifetime
{
    /// <summary>Name of the cluster in the servers' configuration.</summary>
    public const string Name = "pair";

    private const string Java = "/usr/bin/java";
    private const string Jars = "/usr/share/java";

    private static readonly string[] s_libraries =
        ["zookeeper", "zookeeper-jute", "slf4j-api", "netty-all", "metrics-core", "snappy-java"];

    // Who connects to a free port of loopback may meet itself, and would wait for its own answer.
    private static readonly TimeSpan s_answerTimeout = TimeSpan.FromSeconds(2);

    private readonly int[] _http = [FreePort(), FreePort()];
    private readonly Process?[] _servers = new Process?[2];
    private Process? _zooKeeper;
    private string _missing = "";

    /// <summary>Directory of the servers and of files of the tests; deleted at the end.</summary>
    public string Directory { get; } = System.IO.Directory.CreateTempSubdirectory("ingest-cluster-").FullName;

    /// <summary>URLs of the replicas.</summary>
    public IReadOnlyList<string> Urls
    {
        get
        {
            Skip.If(_zooKeeper is null, _missing);
            return [.. _http.Select(port => string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}"))];
        }
    }

    public async Task InitializeAsync()
    {
        string jar = Path.Combine(Jars, "zookeeper.jar");
        if (OldServer.Program is null || !File.Exists(Java) || !File.Exists(jar))
        {
            _missing = "apt-get install clickhouse-server zookeeper brings a cluster to try.";
            return;
        }

        int keeper = FreePort();
        await File.WriteAllTextAsync(Path.Combine(Directory, "zoo.cfg"), string.Create(
            CultureInfo.InvariantCulture,
            $"""
            tickTime=500
            dataDir={Directory}/zookeeper
            clientPort={keeper}
            clientPortAddress=127.0.0.1
            admin.enableServer=false
            4lw.commands.whitelist=srvr
            """));
        _zooKeeper = OldServer.Run(
            Java, "-Xmx128m", "-cp", string.Join(':', s_libraries.Select(name => Path.Combine(Jars, name + ".jar"))),
            "org.apache.zookeeper.server.quorum.QuorumPeerMain", Path.Combine(Directory, "zoo.cfg"));
        await WaitForKeeperAsync(keeper);
        int[] tcp = [FreePort(), FreePort()];
        for (int i = 0; i < 2; i++)
        {
            await ConfigureAsync(i, keeper, tcp);
            _servers[i] = Start(i);
        }

        for (int i = 0; i < 2; i++)
        {
            await WaitAsync(i);
        }
    }

    /// <summary>Kills a replica.</summary>
    public async Task KillAsync(int replica)
    {
        await EndAsync(_servers[replica]);
        _servers[replica] = null;
    }

    /// <summary>Starts a replica again.</summary>
    public async Task StartAsync(int replica)
    {
        _servers[replica] = Start(replica);
        await WaitAsync(replica);
    }

    /// <summary>Asks one replica itself.</summary>
    public async Task<string> AskAsync(int replica, string query)
    {
        using var http = new HttpClient();
        using HttpResponseMessage answer = await http.PostAsync(new Uri(Urls[replica]), new StringContent(query));
        return (await answer.Content.ReadAsStringAsync()).TrimEnd('\n');
    }

    public async Task DisposeAsync()
    {
        foreach (Process? process in (Process?[])[.. _servers, _zooKeeper])
        {
            await EndAsync(process);
        }

        System.IO.Directory.Delete(Directory, recursive: true);
    }

    private async Task ConfigureAsync(int replica, int keeper, int[] tcp)
    {
        string own = System.IO.Directory.CreateDirectory(Path.Combine(Directory, $"replica-{replica}")).FullName;
        string replicas = string.Concat(tcp.Select(port => string.Create(
            CultureInfo.InvariantCulture, $"<replica><host>127.0.0.1</host><port>{port}</port></replica>")));
        await File.WriteAllTextAsync(Path.Combine(own, "config.xml"), string.Create(
            CultureInfo.InvariantCulture,
            $"""
            <yandex>
              <logger><level>warning</level><log>{own}/log</log><errorlog>{own}/errors</errorlog></logger>
              <http_port>{_http[replica]}</http_port><tcp_port>{tcp[replica]}</tcp_port>
              <interserver_http_port>{FreePort()}</interserver_http_port>
              <interserver_http_host>127.0.0.1</interserver_http_host><listen_host>127.0.0.1</listen_host>
              <path>{own}/data/</path><tmp_path>{own}/tmp/</tmp_path>
              <users_config>users.xml</users_config><default_profile>default</default_profile>
              <default_database>default</default_database><mark_cache_size>10000000</mark_cache_size>
              <zookeeper>
                <node><host>127.0.0.1</host><port>{keeper}</port></node><session_timeout_ms>4000</session_timeout_ms>
              </zookeeper>
              <macros><shard>1</shard><replica>replica-{replica}</replica></macros>
              <remote_servers><{Name}>
                <shard><internal_replication>true</internal_replication>{replicas}</shard>
              </{Name}></remote_servers>
              <distributed_ddl><path>/clickhouse/task_queue/ddl</path></distributed_ddl>
            </yandex>
            """));
        await File.WriteAllTextAsync(Path.Combine(own, "users.xml"), """
            <yandex>
              <profiles><default>
                <allow_experimental_low_cardinality_type>1</allow_experimental_low_cardinality_type>
              </default></profiles>
              <users><default>
                <password></password><networks><ip>127.0.0.1</ip></networks>
                <profile>default</profile><quota>default</quota>
              </default></users>
              <quotas><default/></quotas>
            </yandex>
            """);
    }

    private Process Start(int replica) =>
        OldServer.Run(OldServer.Program!, $"--config-file={Directory}/replica-{replica}/config.xml");

    // 18.16 crashes at an ON CLUSTER when it did not find its Keeper at once.
    private static async Task WaitForKeeperAsync(int port)
    {
        long started = Stopwatch.GetTimestamp();
        string answer = "";
        while (!answer.Contains("Mode: standalone", StringComparison.Ordinal))
        {
            Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(60), $"no Keeper: {answer}");
            await Task.Delay(20);
            try
            {
                using var client = new TcpClient();
                await client.ConnectAsync(IPAddress.Loopback, port);
                await using NetworkStream stream = client.GetStream();
                await stream.WriteAsync("srvr"u8.ToArray());
                answer = await new StreamReader(stream).ReadToEndAsync().WaitAsync(s_answerTimeout);
            }
            catch (Exception e) when (e is SocketException or IOException or TimeoutException)
            {
                // Not listening yet.
            }
        }
    }

    // Until it answers and takes part in ON CLUSTER.
    private async Task WaitAsync(int replica)
    {
        long started = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                if (await AskAsync(replica, "SELECT count() FROM system.zookeeper WHERE path = '/clickhouse/task_queue'") == "1")
                {
                    return;
                }
            }
            catch (HttpRequestException)
            {
                // Not listening yet.
            }

            Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(60), $"replica {replica} does not come up");
            await Task.Delay(20);
        }
    }

    private static async Task EndAsync(Process? process)
    {
        if (process is not null)
        {
            process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
