using Ingest.V1;

namespace Ingest.Cli.Simulation;

/// <summary>The rows of one step of simulated time. Points are valid until the next step: drivers keep theirs.</summary>
internal sealed class SimulationTick
{
    /// <summary>The end of the step.</summary>
    public DateTime Time { get; set; }

    public List<GpsPoint> Points { get; } = [];

    public List<Order> Orders { get; } = [];

    public List<Event> Events { get; } = [];

    public List<MetricSample> Metrics { get; } = [];

    public void Clear()
    {
        Points.Clear();
        Orders.Clear();
        Events.Clear();
        Metrics.Clear();
    }
}
