namespace Ingest.EndToEnd.Tests;

/// <summary>A server without a store, with small limits, for the tests of Append that do not query.</summary>
public sealed class AppendServer : IAsyncLifetime
{
    public const int CreditBytes = 64 * 1024;
    public const int MaxRequestBytes = 16 * 1024;

    private ServerProcess? _server;

    public string Address => _server!.GrpcAddress;

    /// <summary>Calls of Append that ended with a status, as /metrics has it.</summary>
    public async Task<int> CountEndedAsync(string status)
    {
        string metrics = await _server!.Http.GetStringAsync("/metrics");
        string line = metrics.Split('\n').FirstOrDefault(
            line => line.StartsWith("ingest_calls_finished_total", StringComparison.Ordinal)
                && line.Contains("/Append\"", StringComparison.Ordinal) && line.Contains($"\"{status}\"", StringComparison.Ordinal)) ?? " 0";
        return int.Parse(line[(line.LastIndexOf(' ') + 1)..], System.Globalization.CultureInfo.InvariantCulture);
    }

    public async Task InitializeAsync() => _server = await ServerProcess.StartAsync(
        null, "Store:Kind=null", $"Append:CreditBytes={CreditBytes}", $"Append:MaxRequestBytes={MaxRequestBytes}",
        "Append:UnreadTimeout=00:00:01",

        // Longer than credit and overdraft, or a flood is granted new credit between its turns.
        "Admission:TurnBytes=4194304");

    public async Task DisposeAsync() => await _server!.DisposeAsync();
}
