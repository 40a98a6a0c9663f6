namespace Ingest.Fanout;

/// <summary>What a subscriber that never reads does to the others.</summary>
/// <param name="Peer">Name of the server.</param>
/// <param name="Subscribers">Those that read.</param>
/// <param name="P50">Median age of an update without it, milliseconds.</param>
/// <param name="P99">99 % are younger, milliseconds.</param>
/// <param name="P50With">Median age with it, milliseconds.</param>
/// <param name="P99With">99 % are younger, milliseconds.</param>
/// <param name="ResidentBefore">Memory of the server before it came, bytes.</param>
/// <param name="ResidentAfter">The same when it had stalled.</param>
/// <param name="ResidentLater">The same when the others had been served for a while.</param>
internal sealed record StalledResult(
    string Peer, int Subscribers, double P50, double P99, double P50With, double P99With, long ResidentBefore,
    long ResidentAfter, long ResidentLater);
