using Ingest.Agents.Delivery;

namespace Ingest.Agents.Tests.Delivery;

/// <summary>A trip that was really made: when it began, and its points, seconds after that.</summary>
internal sealed record Trip(DateTime Start, IReadOnlyList<(GeoPoint Place, double Seconds)> Points)
{
    public double Minutes => Points[^1].Seconds / 60;

    public long StartMicros => new DateTimeOffset(Start).ToUnixTimeMilliseconds() * 1000;

    public long MicrosAt(int point) => StartMicros + (long)(Points[point].Seconds * 1_000_000);
}
