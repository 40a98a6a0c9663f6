using Ingest.Protocol;
using Ingest.V1;

namespace Ingest.Client;

/// <summary>What to follow, from where, and how.</summary>
public sealed record SubscribeOptions
{
    /// <summary>
    /// Topics: tokens separated by dots, <c>*</c> for one token, <c>&gt;</c> at the end for the rest;
    /// <c>eta-predictions</c>, <c>route-optimizations</c>, <c>driver-allocations</c> and <c>alerts</c> are the server's
    /// own.
    /// </summary>
    public required IReadOnlyList<string> Topics { get; init; }

    /// <summary>Keys to follow, for example order ids. Default all.</summary>
    public IReadOnlyList<string> Keys { get; init; } = [];

    /// <summary>Which updates to send; the server looks. Default all.</summary>
    public Filter? Filter { get; init; }

    /// <summary>
    /// Where to start. Default unspecified: with the next update, or, of a <see cref="Name"/>, where it was left.
    /// </summary>
    public StartPosition Position { get; init; }

    /// <summary>Starts behind the item that this token came with, on any transport. Default none.</summary>
    public string? ResumeToken { get; init; }

    /// <summary>Starts with the first update emitted at or after this time. Default none.</summary>
    public DateTimeOffset? Time { get; init; }

    /// <summary>
    /// What the server does when this subscriber is slow. Default unspecified: it ends the subscription, which then goes
    /// on where it was, so that nothing is left out that the server still has.
    /// </summary>
    public OverflowPolicy Overflow { get; init; }

    /// <summary>
    /// Name of a place that the server keeps: a later subscription of the name goes on behind the last item that was
    /// handled. One subscription at a time should have it. Default none.
    /// </summary>
    public string? Name { get; init; }

    /// <summary>
    /// Updates that may be on their way and not handled. Default 1,000; 0 leaves it to the windows of HTTP/2.
    /// </summary>
    public int CreditMessages { get; init; } = 1_000;

    /// <summary>How often the server is told what was handled, of a <see cref="Name"/>. Default 1 second.</summary>
    public TimeSpan AckInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Whether to connect again after the subscription has once been started. Default true; false: the enumeration
    /// throws, and the last token goes on.
    /// </summary>
    public bool Reconnect { get; init; } = true;

    /// <summary>
    /// How long to wait before the first try to connect again; doubled each time, with jitter, and no less than the
    /// server asks for. Default 100 ms.
    /// </summary>
    public TimeSpan ReconnectDelay { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>The longest wait between two tries to connect. Default 10 seconds.</summary>
    public TimeSpan MaxReconnectDelay { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Called each time that the server has started the subscription, with where it really starts.</summary>
    public Action<SubscribeStarted>? Started { get; init; }

    /// <summary>Called each time that the connection is lost, before it is tried again.</summary>
    public Action<RpcException>? Disconnected { get; init; }

    internal void Validate()
    {
        ThrowUnless(Topics is { Count: > 0 }, "Topics has to name one at least.");
        ThrowUnless(
            (Position == StartPosition.Unspecified ? 0 : 1) + (ResumeToken is null ? 0 : 1) + (Time is null ? 0 : 1) <= 1,
            "Position, ResumeToken and Time: one of them at most can be set.");
        ThrowUnless(ResumeToken is not "", "ResumeToken is empty.");
        ThrowUnless(CreditMessages >= 0, "CreditMessages cannot be negative.");
        ThrowUnless(AckInterval >= TimeSpan.Zero, "AckInterval cannot be negative.");
        ThrowUnless(ReconnectDelay >= TimeSpan.Zero, "ReconnectDelay cannot be negative.");
        ThrowUnless(MaxReconnectDelay >= ReconnectDelay, "MaxReconnectDelay cannot be less than ReconnectDelay.");
    }

    private static void ThrowUnless(bool valid, string fault)
    {
        if (!valid)
        {
            throw new ArgumentException($"SubscribeOptions.{fault}");
        }
    }
}
