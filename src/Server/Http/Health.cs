using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Ingest.Server.Grpc;
using static Grpc.Health.V1.HealthCheckResponse.Types;

namespace Ingest.Server.Http;

/// <summary>Knows how the server is: asks the parts that were added, and whether it drains.</summary>
/// <remarks>
/// Safe for use by several threads at once. Parts are asked at most once a second however many probes come; one that
/// does not answer in time counts as faulty.
/// </remarks>
public sealed class Health
{
    private static readonly TimeSpan Freshness = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan CheckTimeout = TimeSpan.FromSeconds(2);

    private readonly HealthStatus _serving;
    private readonly TimeProvider _time;
    private readonly DateTimeOffset _started;
    private readonly ConcurrentQueue<HealthCheck> _checks = new();
    private readonly ConcurrentQueue<(string Name, Func<JsonNode?> Value)> _details = new();
    private readonly Lock _gate = new();
    private Task<IReadOnlyDictionary<HealthCheck, string>>? _faults;
    private long _askedAt;

    /// <summary>Makes the health of a server.</summary>
    public Health(HealthStatus serving, TimeProvider time)
    {
        _serving = serving;
        _time = time;
        _started = time.GetUtcNow();
    }

    /// <summary>Time since the server started.</summary>
    public TimeSpan Uptime => _time.GetUtcNow() - _started;

    /// <summary>What others add to <c>/health</c>, in order.</summary>
    public IEnumerable<(string Name, Func<JsonNode?> Value)> Details => _details;

    /// <summary>Adds something that has to be well.</summary>
    public void Add(HealthCheck check) => _checks.Enqueue(check);

    /// <summary>Adds a field to <c>/health</c>.</summary>
    /// <param name="name">The field's name, in snake_case.</param>
    /// <param name="value">Called at each request, on any thread; must not wait.</param>
    public void AddDetail(string name, Func<JsonNode?> value) => _details.Enqueue((name, value));

    /// <summary>How the server is, as of a second ago at most; that it drains is told at once.</summary>
    public async Task<HealthReport> ReportAsync()
    {
        var faults = await FreshFaultsAsync();
        var named = new SortedDictionary<string, string>(StringComparer.Ordinal);
        var ready = true;
        foreach (var (check, fault) in faults)
        {
            named[check.Name] = fault;
            ready &= !check.Required;
        }

        if (_serving.Get(HealthStatus.Server) != ServingStatus.Serving)
        {
            named["server"] = "The server is stopping; it takes no new calls.";
            ready = false;
        }

        return new HealthReport(ready, named);
    }

    private Task<IReadOnlyDictionary<HealthCheck, string>> FreshFaultsAsync()
    {
        lock (_gate)
        {
            if (_faults is null || (_faults.IsCompleted && _time.GetElapsedTime(_askedAt) >= Freshness))
            {
                _askedAt = _time.GetTimestamp();
                _faults = AskAsync([.. _checks]);
            }

            return _faults;
        }
    }

    private async Task<IReadOnlyDictionary<HealthCheck, string>> AskAsync(HealthCheck[] checks)
    {
        var faults = await Task.WhenAll(checks.Select(FaultOfAsync));
        return checks.Zip(faults).Where(pair => pair.Second is not null).ToDictionary(
            pair => pair.First, pair => pair.Second!);
    }

    private async Task<string?> FaultOfAsync(HealthCheck check)
    {
        using var timeout = new CancellationTokenSource(CheckTimeout, _time);
        try
        {
            // A part that blocks its caller, or forgets its token, holds up neither the others nor the probe.
            return await Task.Run(() => check.FaultAsync(timeout.Token).AsTask(), timeout.Token)
                .WaitAsync(timeout.Token);
        }
        catch (OperationCanceledException)
        {
            return $"No answer within {CheckTimeout.TotalSeconds:0} s.";
        }
        catch (Exception error)
        {
            return error.Message;
        }
    }
}
