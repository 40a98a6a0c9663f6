namespace Ingest.Cli.Simulation;

/// <summary>Something odd about a driver's points for a while; its name in lower case is the point's flag.</summary>
internal enum DriverAnomaly
{
    /// <summary>Nothing odd.</summary>
    None,

    /// <summary>One point lies far away.</summary>
    GpsJump,

    /// <summary>No points for a while; the first one after it is flagged.</summary>
    SignalLoss,

    /// <summary>Stands still on the way.</summary>
    LongStop,

    /// <summary>Goes far faster than the street allows.</summary>
    Speeding,
}
