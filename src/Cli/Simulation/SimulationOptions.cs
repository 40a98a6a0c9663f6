namespace Ingest.Cli.Simulation;

/// <summary>What city is simulated, and when.</summary>
internal sealed record SimulationOptions
{
    /// <summary>Drivers. Default 500.</summary>
    public int Drivers { get; init; } = 500;

    /// <summary>Simulated time. Default 10 minutes.</summary>
    public TimeSpan Duration { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Simulated time between two points of a driver. Default 5 seconds.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The same seed, end and numbers give the same rows. Default 1.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>When the simulated time begins, UTC.</summary>
    public required DateTime Start { get; init; }
}
