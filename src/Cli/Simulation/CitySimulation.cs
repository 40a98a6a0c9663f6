using System.Globalization;

namespace Ingest.Cli.Simulation;

/// <summary>
/// A city with its deliveries and its ads, step by step. The same options give the same rows. Before its start the city
/// has lived for an hour, so that at the start orders are under way. For one thread.
/// </summary>
internal sealed class CitySimulation
{
    private static readonly TimeSpan WarmUp = TimeSpan.FromHours(1);
    private static readonly TimeSpan WarmUpStep = TimeSpan.FromSeconds(20);

    private readonly SimulationOptions _options;
    private readonly DeliveryWorld _deliveries;
    private readonly AdWorld _ads;
    private readonly SimulationTick _tick = new();
    private DateTime _time;

    public CitySimulation(SimulationOptions options)
    {
        _options = options;
        var random = new SimulationRandom(options.Seed);
        var run = RunId(options);
        _deliveries = new DeliveryWorld(options, options.Start - WarmUp, run, random.Split());
        _ads = new AdWorld(options, run, random.Split());
        _time = options.Start - WarmUp;
        while (_time < options.Start)
        {
            _time += WarmUpStep;
            _tick.Clear();
            _tick.Time = _time;
            _deliveries.Step(WarmUpStep, _tick);
        }
    }

    /// <summary>When the simulated time ends.</summary>
    public DateTime End => _options.Start + _options.Duration;

    /// <summary>How much of the simulated time has passed, 0 to 1.</summary>
    public double Done => (_time - _options.Start) / _options.Duration;

    /// <summary>Lives on for an interval. The rows are valid until the next call; null at the end.</summary>
    public SimulationTick? Step()
    {
        if (_time + _options.Interval > End)
        {
            return null;
        }
        _time += _options.Interval;
        _tick.Clear();
        _tick.Time = _time;
        _deliveries.Step(_options.Interval, _tick);
        _ads.Step(_options.Interval, _tick);
        return _tick;
    }

    /// <summary>Tells runs apart, so that the ids of one are not those of another.</summary>
    private static string RunId(SimulationOptions options)
    {
        var mixed = new SimulationRandom(options.Seed ^ (ulong)options.Start.Ticks).NextBits();
        return mixed.ToString("x16", CultureInfo.InvariantCulture)[..8];
    }
}
