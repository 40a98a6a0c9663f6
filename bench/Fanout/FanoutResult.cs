namespace Ingest.Fanout;

/// <summary>What a server did for so many subscribers.</summary>
/// <param name="Peer">Name of the server.</param>
/// <param name="Subscribers">Subscriptions.</param>
/// <param name="PerSecond">Deliveries a second at most, while none is more than a window behind.</param>
/// <param name="CpuMicroseconds">CPU time of the server a delivery then.</param>
/// <param name="CpuCores">Cores that the server used then.</param>
/// <param name="PacedPerSecond">Deliveries a second at the measured pace.</param>
/// <param name="P50">Median age of an update when it arrives at that pace, milliseconds.</param>
/// <param name="P99">99 % of them are younger, milliseconds.</param>
/// <param name="PacedCpuMicroseconds">CPU time of the server a delivery at that pace.</param>
/// <param name="Missing">Updates that should have come and did not, of the subscribers looked into.</param>
internal sealed record FanoutResult(
    string Peer, int Subscribers, double PerSecond, double CpuMicroseconds, double CpuCores, double PacedPerSecond,
    double P50, double P99, double PacedCpuMicroseconds, long Missing);
