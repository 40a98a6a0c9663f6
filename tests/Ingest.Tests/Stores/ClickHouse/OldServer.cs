using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Ingest.Tests.Stores.ClickHouse;

/// <summary>
/// The <c>clickhouse-server</c> of the machine (Debian has 18.16), started with a directory of its own; skips the test
/// when there is none.
/// </summary>
public sealed class OldServer : IAsyncLifetime
{
    private static readonly string[] s_places = ["/usr/sbin/clickhouse-server", "/usr/bin/clickhouse-server"];

    private Process? _process;
    private string _missing = "";

    /// <summary>Path of the program, or null.</summary>
    internal static string? Program { get; } = Array.Find(s_places, File.Exists);

    /// <summary>Directory of the server and of files of the tests; deleted at the end.</summary>
    public string Directory { get; } = System.IO.Directory.CreateTempSubdirectory("ingest-clickhouse-server-").FullName;

    /// <summary>Password of its user <c>ingest</c>.</summary>
    public const string Password = "p:ä s";

    /// <summary>Its URL.</summary>
    public string Url
    {
        get
        {
            Skip.If(_process is null, _missing);
            return field;
        }
        private set;
    } = "";

    public async Task InitializeAsync()
    {
        if (Program is null)
        {
            _missing = "There is no clickhouse-server here; apt-get install clickhouse-server brings it.";
            return;
        }

        int http = FreePort(), tcp = FreePort();
        Url = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{http}");
        await File.WriteAllTextAsync(Path.Combine(Directory, "config.xml"), $"""
            <yandex>
              <logger><level>warning</level><log>{Directory}/log</log><errorlog>{Directory}/errors</errorlog></logger>
              <http_port>{http}</http_port><tcp_port>{tcp}</tcp_port><listen_host>127.0.0.1</listen_host>
              <path>{Directory}/data/</path><tmp_path>{Directory}/tmp/</tmp_path>
              <users_config>users.xml</users_config><default_profile>default</default_profile>
              <default_database>default</default_database><mark_cache_size>10000000</mark_cache_size>
            </yandex>
            """);
        await File.WriteAllTextAsync(Path.Combine(Directory, "users.xml"), $"""
            <yandex>
              <profiles><default>
                <allow_experimental_low_cardinality_type>1</allow_experimental_low_cardinality_type>
              </default></profiles>
              <users><ingest>
                <password>{Password}</password><networks><ip>127.0.0.1</ip></networks>
                <profile>default</profile><quota>default</quota>
              </ingest></users>
              <quotas><default/></quotas>
            </yandex>
            """);
        _process = Run(Program, $"--config-file={Directory}/config.xml");
        await WaitAsync();
    }

    /// <summary>Starts a program whose output nobody wants.</summary>
    internal static Process Run(string program, params string[] arguments)
    {
        Process process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    public async Task DisposeAsync()
    {
        if (_process is not null)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
            _process.Dispose();
        }

        System.IO.Directory.Delete(Directory, recursive: true);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private async Task WaitAsync()
    {
        using var http = new HttpClient();
        long started = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                await http.GetStringAsync(new Uri(Url + "/ping"));
                return;
            }
            catch (HttpRequestException) when (Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(30))
            {
                await Task.Delay(20);
            }
        }
    }
}
