using System.Diagnostics;
using System.Text;

namespace Ingest.EndToEnd.Tests;

/// <summary>A server in a process of its own, on free ports, with a data directory that outlives it.</summary>
public sealed class ServerProcess : IAsyncDisposable
{
    private static readonly TimeSpan s_startTimeout = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly StringBuilder _messages;

    private ServerProcess(Process process, StringBuilder messages, string grpcAddress, string httpAddress, string data)
    {
        _process = process;
        _messages = messages;
        GrpcAddress = grpcAddress;
        HttpAddress = httpAddress;
        DataDirectory = data;
        Http = new HttpClient { BaseAddress = new Uri(httpAddress) };
    }

    public string GrpcAddress { get; }

    public string HttpAddress { get; }

    public string DataDirectory { get; }

    public HttpClient Http { get; }

    public int ProcessId => _process.Id;

    /// <summary>What the server wrote.</summary>
    public string Messages
    {
        get
        {
            lock (_messages)
            {
                return _messages.ToString();
            }
        }
    }

    /// <summary>Starts a server; with the directory of an earlier one it goes on with that one's data.</summary>
    public static Task<ServerProcess> StartAsync(string? dataDirectory = null, params string[] settings) =>
        StartAsync(dataDirectory, [], settings);

    /// <summary>Starts a server with variables in its environment.</summary>
    public static async Task<ServerProcess> StartAsync(
        string? dataDirectory, IReadOnlyCollection<(string Name, string Value)> variables, params string[] settings)
    {
        string data = dataDirectory ?? Directory.CreateTempSubdirectory("ingest-e2e-").FullName;
        Process process = Launch(data, settings, variables);
        var messages = new StringBuilder();
        _ = CollectAsync(process.StandardError, messages);
        using var timeout = new CancellationTokenSource(s_startTimeout);
        string? grpc = null;
        string? http = null;
        while (http is null)
        {
            string? line = await process.StandardOutput.ReadLineAsync(timeout.Token);
            if (line is null)
            {
                await process.WaitForExitAsync(timeout.Token);
                throw new InvalidOperationException($"the server ended with {process.ExitCode}: {messages}");
            }

            lock (messages)
            {
                messages.AppendLine(line);
            }

            grpc ??= Address(line, "  gRPC   ");
            http ??= Address(line, "  HTTP   ");
        }

        _ = CollectAsync(process.StandardOutput, messages);
        return new ServerProcess(process, messages, grpc!, http, data);
    }

    /// <summary>
    /// Starts a server and kills it so long after it took its data directory, the first thing that it does with it:
    /// while it recovers its log, or soon after.
    /// </summary>
    public static async Task KillStartingAsync(string data, TimeSpan after, params string[] settings)
    {
        string holder = Path.Combine(data, "lock.pid");
        using Process process = Launch(data, settings);
        Task output = Task.WhenAll(process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        var clock = Stopwatch.StartNew();
        while (!File.Exists(holder) || await File.ReadAllTextAsync(holder) != $"{process.Id}")
        {
            Assert.True(!process.HasExited && clock.Elapsed < s_startTimeout, "the server did not take its data directory");
            await Task.Delay(1);
        }

        for (clock.Restart(); clock.Elapsed < after;)
        {
            await Task.Yield();
        }

        process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync();
        await output;
    }

    /// <summary>Starts a server that is expected to give up, and returns its exit code and error output.</summary>
    public static async Task<(int ExitCode, string Errors)> RunToEndAsync(string data, params string[] settings)
    {
        using Process process = Launch(data, settings);
        using var timeout = new CancellationTokenSource(s_startTimeout);
        Task<string> output = process.StandardOutput.ReadToEndAsync(timeout.Token);
        string errors = await process.StandardError.ReadToEndAsync(timeout.Token);
        await output;
        await process.WaitForExitAsync(timeout.Token);
        return (process.ExitCode, errors);
    }

    /// <summary>Runs a query; the answer is tab separated.</summary>
    public async Task<string> QueryAsync(string sql)
    {
        using HttpResponseMessage response = await Http.PostAsync("/sql", new StringContent(sql));
        string text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, $"{(int)response.StatusCode}: {text}");
        return text.TrimEnd('\n');
    }

    /// <summary>Runs a query until it answers as expected: rows are durable before they are in the store.</summary>
    public async Task ExpectAsync(string expected, string sql, int seconds = 30)
    {
        var clock = Stopwatch.StartNew();
        string answer = await QueryAsync(sql);
        while (answer != expected && clock.Elapsed.TotalSeconds < seconds)
        {
            await Task.Delay(50);
            answer = await QueryAsync(sql);
        }

        Assert.True(answer == expected, $"{sql}\nexpected {expected}\nbut was  {answer}\n{Messages}");
    }

    /// <summary>Ends the process as a power cut would: kill -9.</summary>
    public async Task KillAsync()
    {
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
    }

    /// <summary>Sends the process a signal by its name, TERM or HUP.</summary>
    public async Task SignalAsync(string name)
    {
        using Process kill = Process.Start("kill", [$"-{name}", $"{_process.Id}"]);
        await kill.WaitForExitAsync();
    }

    /// <summary>Asks the process to stop, as an orchestrator does, and returns its exit code.</summary>
    public async Task<int> StopAsync()
    {
        await TerminateAsync();
        return await ExitAsync();
    }

    /// <summary>Sends SIGTERM.</summary>
    public Task TerminateAsync() => TerminateAsync(_process);

    /// <summary>Waits for the process's end and returns its exit code.</summary>
    public async Task<int> ExitAsync()
    {
        await _process.WaitForExitAsync().WaitAsync(s_startTimeout);
        return _process.ExitCode;
    }

    /// <summary>Starts a server and sends it SIGTERM after a while, whatever it is doing then.</summary>
    public static async Task<(int ExitCode, string Output)> StopStartingAsync(
        string data, TimeSpan after, params string[] settings)
    {
        using Process process = Launch(data, settings);
        var output = new StringBuilder();
        Task reading = Task.WhenAll(
            CollectAsync(process.StandardOutput, output), CollectAsync(process.StandardError, output));
        var clock = Stopwatch.StartNew();
        while (clock.Elapsed < after)
        {
            await Task.Delay(1);
        }

        await TerminateAsync(process);
        await process.WaitForExitAsync().WaitAsync(s_startTimeout);
        await reading;
        return (process.ExitCode, output.ToString());
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            await KillAsync();
        }

        Http.Dispose();
        _process.Dispose();
        try
        {
            Directory.Delete(DataDirectory, recursive: true);
        }
        catch (DirectoryNotFoundException)
        {
            // Another server went on with it.
        }
    }

    private static async Task TerminateAsync(Process process)
    {
        using Process kill = Process.Start("kill", ["-TERM", $"{process.Id}"]);
        await kill.WaitForExitAsync();
    }

    private static Process Launch(
        string data, string[] settings, IReadOnlyCollection<(string Name, string Value)>? variables = null)
    {
        var start = new ProcessStartInfo("dotnet")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "Ingest.Server.dll"));
        foreach (string setting in new[] { "GrpcPort=0", "HttpPort=0", $"DataDirectory={data}" }.Concat(settings))
        {
            start.ArgumentList.Add($"--Ingest:{setting}");
        }

        foreach ((string name, string value) in variables ?? [])
        {
            start.Environment[name] = value;
        }

        return Process.Start(start)!;
    }

    private static async Task CollectAsync(StreamReader output, StringBuilder messages)
    {
        while (await output.ReadLineAsync() is { } line)
        {
            lock (messages)
            {
                messages.AppendLine(line);
            }
        }
    }

    private static string? Address(string line, string label) =>
        line.StartsWith(label, StringComparison.Ordinal) ? line[label.Length..].Trim() : null;
}
