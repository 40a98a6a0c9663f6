using System.Diagnostics.Metrics;
using Ingest.Agents.Hosting;

namespace Ingest.Agents;

/// <summary>What agents measure; names as Prometheus shows them stand beside each.</summary>
internal sealed class Metrics : IDisposable
{
    /// <summary>Name of the meter.</summary>
    public const string MeterName = "Ingest.Agents";

    private static readonly InstrumentAdvice<double> s_bounds = new()
    {
        HistogramBucketBoundaries =
            [0.00001, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    };

    private readonly Meter _meter = new(MeterName);
    private readonly Counter<long> _calls;
    private readonly Histogram<double> _durations;

    public Metrics()
    {
        // agent_calls_total{agent_type,status}: status is ok or error.
        _calls = _meter.CreateCounter<long>(
            "agent.calls", "{call}", "Calls of agents: rows, messages, timers, requests.");

        // agent_duration_seconds{agent_type}
        _durations = _meter.CreateHistogram("agent.duration", "s", "Time of a call of an agent.", advice: s_bounds);
    }

    /// <summary>Shows what agents hold. To be called once.</summary>
    public void Watch(Func<IReadOnlyList<AgentStatus>> agents)
    {
        // active_sessions_current{agent_type}
        _meter.CreateObservableUpDownCounter(
            "active.sessions.current", () => Of(agents, a => a.ActiveSessions), "{session}",
            "Keys that an agent follows: orders, drivers, campaigns.");
        _meter.CreateObservableCounter(
            "agent.rows", () => Of(agents, a => a.Rows), "{row}", "Rows that an agent was given.");
        _meter.CreateObservableCounter(
            "agent.rows.conflated", () => Of(agents, a => a.ConflatedRows), "{row}",
            "Rows that an agent was not given since a later one of the same key was there.");
        _meter.CreateObservableCounter(
            "agent.rows.dropped", () => Of(agents, a => a.DroppedRows), "{row}",
            "Rows that an agent was not given since it was too far behind.");
        _meter.CreateObservableCounter(
            "agent.updates", () => Of(agents, a => a.Emitted), "{update}", "Updates that an agent emitted.");
        _meter.CreateObservableUpDownCounter(
            "agent.queued", () => Of(agents, a => a.QueuedBytes), "By", "Blocks that wait for an agent.");
    }

    public void OnCalled(string agent, bool failed, TimeSpan duration)
    {
        var type = new KeyValuePair<string, object?>("agent_type", agent);
        _calls.Add(1, type, new KeyValuePair<string, object?>("status", failed ? "error" : "ok"));
        _durations.Record(duration.TotalSeconds, type);
    }

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();

    private static IEnumerable<Measurement<long>> Of(
        Func<IReadOnlyList<AgentStatus>> agents, Func<AgentStatus, long> value) =>
        agents().Select(agent => new Measurement<long>(
            value(agent), new KeyValuePair<string, object?>("agent_type", agent.Name)));
}
