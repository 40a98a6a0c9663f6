using System.Diagnostics;
using System.Globalization;
using System.Text;
using Ingest.Stores;
using Ingest.Stores.ClickHouse;

namespace Ingest.StandIns;

/// <summary>A <see cref="StandInServer"/> in its process, as a test sees it.</summary>
internal sealed class StandIn : IAsyncDisposable
{
    private readonly string _directory;
    private Process? _process;

    private StandIn(string directory) => _directory = directory;

    /// <summary>Its port; the same after a restart.</summary>
    public int Port { get; private set; }

    /// <summary>Its URL.</summary>
    public string Url => $"http://127.0.0.1:{Port}";

    /// <summary>Starts one with an engine in that directory.</summary>
    public static async Task<StandIn> StartAsync(string directory)
    {
        var server = new StandIn(directory);
        await server.StartAsync();
        return server;
    }

    /// <summary>Starts the process, again after a <see cref="KillAsync"/>.</summary>
    public async Task StartAsync()
    {
        _process = Process.Start(new ProcessStartInfo("dotnet")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            ArgumentList =
            {
                "exec", typeof(StandIn).Assembly.Location, _directory,
                Port.ToString(CultureInfo.InvariantCulture),
            },
        })!;
        string line = await LineAsync();
        Port = int.Parse(line["listening ".Length..], CultureInfo.InvariantCulture);
    }

    /// <summary>Kills the process.</summary>
    public async Task KillAsync()
    {
        _process!.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _process = null;
    }

    /// <summary>Sends the process a signal: <c>STOP</c>, <c>CONT</c> or <c>TERM</c>.</summary>
    public async Task SignalAsync(string signal)
    {
        using Process kill = Process.Start("kill", [$"-{signal}", $"{_process!.Id}"]);
        await kill.WaitForExitAsync();
    }

    /// <summary>Asks the process to end, and waits for it; <see cref="StartAsync()"/> starts it again.</summary>
    public async Task StopAsync()
    {
        await SignalAsync("TERM");
        await _process!.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
        _process.Dispose();
        _process = null;
    }

    /// <summary>Gives a command; see <see cref="StandInServer"/>.</summary>
    public async Task FaultAsync(string command)
    {
        await _process!.StandardInput.WriteLineAsync(command);
        Assert.Equal("ok", await LineAsync());
    }

    /// <summary>Runs a query and gives its answer in that format.</summary>
    public async Task<byte[]> QueryAsync(string query, string format)
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        using HttpResponseMessage answer = await http.PostAsync(
            new Uri($"{Url}/?default_format={format}"), new StringContent(query));
        byte[] body = await answer.Content.ReadAsByteArrayAsync();
        return answer.IsSuccessStatusCode ? body : throw new StoreException(Encoding.UTF8.GetString(body), StoreFault.BadQuery);
    }

    /// <summary>The next line that it says.</summary>
    public async Task<string> LineAsync() =>
        await _process!.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(60))
        ?? throw new InvalidOperationException("the stand-in has ended");

    /// <summary>Opens a store of such servers, one a shard, with short times.</summary>
    public static Task<ClickHouseStore> OpenStoreAsync(
        string directory, IEnumerable<StandIn> shards, Func<ClickHouseOptions, ClickHouseOptions>? change = null,
        int deduplicationWindow = 1000)
    {
        var options = new ClickHouseOptions
        {
            Shards = [.. shards.Select(s => s.Url)],
            InsertTimeout = TimeSpan.FromSeconds(60),
            BreakDuration = TimeSpan.FromMilliseconds(20),
            MaxBreakDuration = TimeSpan.FromMilliseconds(100),
        };
        return ClickHouseStore.OpenAsync(
            change?.Invoke(options) ?? options, deduplicationWindow, Path.Combine(directory, "placements"), TimeProvider.System);
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await KillAsync();
        }
    }
}
