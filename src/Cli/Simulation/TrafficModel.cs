using Ingest.V1;

namespace Ingest.Cli.Simulation;

/// <summary>
/// How dense the traffic is at a crossing: by the hour, denser in the centre, with places that are always worse and
/// waves that wander through the city over some minutes.
/// </summary>
internal sealed class TrafficModel
{
    private readonly CityMap _map;
    private readonly double[] _habit;

    public TrafficModel(CityMap map, SimulationRandom random)
    {
        _map = map;
        _habit = new double[map.Nodes];
        for (var i = 0; i < _habit.Length; i++)
        {
            _habit[i] = random.Between(-0.1, 0.15);
        }
    }

    /// <summary>The density at a crossing.</summary>
    public TrafficDensity DensityAt(int node, DateTime utc)
    {
        const double WaveSeconds = 420;
        var wave = 0.12 * Math.Sin((utc.TimeOfDay.TotalSeconds / WaveSeconds * 2 * Math.PI) + (node * 0.05));
        var level = CityClock.Traffic(utc) + (_map.IsCentral(node) ? 0.15 : -0.05) + _habit[node] + wave;
        return level switch
        {
            < 0.35 => TrafficDensity.Light,
            < 0.65 => TrafficDensity.Moderate,
            < 0.95 => TrafficDensity.Heavy,
            _ => TrafficDensity.Severe,
        };
    }

    /// <summary>How much of a street's free speed is left.</summary>
    public static double SpeedFactor(TrafficDensity density) => density switch
    {
        TrafficDensity.Light => 1,
        TrafficDensity.Moderate => 0.8,
        TrafficDensity.Heavy => 0.55,
        _ => 0.3,
    };
}
