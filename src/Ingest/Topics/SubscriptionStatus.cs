using Ingest.V1;

namespace Ingest.Topics;

/// <summary>A subscription as it stands now.</summary>
/// <param name="Name">Name of the place that is kept for it, or empty.</param>
/// <param name="Transport">How it is served: <c>grpc</c>, <c>websocket</c>, <c>sse</c>.</param>
/// <param name="Remote">Who reads it.</param>
/// <param name="Topics">The patterns that it follows.</param>
/// <param name="Policy">What happens when it is slow.</param>
/// <param name="LagMessages">Updates of its topics that it has not looked at, those of other keys included.</param>
/// <param name="LagTime">
/// Time between the oldest of them and the newest update of its topic; zero when none waits.
/// </param>
/// <param name="Delivered">Updates that it was given.</param>
/// <param name="Dropped">Updates that it would have got and that gaps stand for.</param>
/// <param name="Gaps">Gaps that it was given.</param>
/// <param name="Since">When it began.</param>
public sealed record SubscriptionStatus(
    string Name, string Transport, string Remote, IReadOnlyList<string> Topics, OverflowPolicy Policy, long LagMessages,
    TimeSpan LagTime, long Delivered, long Dropped, long Gaps, DateTimeOffset Since);
