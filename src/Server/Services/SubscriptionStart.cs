using Ingest.Topics;
using Ingest.V1;

namespace Ingest.Server.Services;

/// <summary>What a subscriber asks for, checked as far as the wire goes; the hub looks at the rest.</summary>
internal static class SubscriptionStart
{
    /// <summary>Name of the transport, as the status shows it.</summary>
    private const string Transport = "grpc";

    private static readonly DateTimeOffset s_year10000 = DateTimeOffset.MaxValue;

    /// <summary>Reads a start.</summary>
    /// <exception cref="Protocol.RpcException">INVALID_ARGUMENT: a field of it cannot be.</exception>
    public static SubscriptionOptions Read(SubscribeStart start, string peer)
    {
        if (start.CreditMessages < 0)
        {
            throw SubscribeErrors.InvalidStart(
                "credit_messages", $"credit_messages is {start.CreditMessages}; it is 0 or more.");
        }

        if (!Enum.IsDefined(start.Overflow))
        {
            throw SubscribeErrors.InvalidStart("overflow", $"overflow {(int)start.Overflow} is not known.");
        }

        if (!Enum.IsDefined(start.Position))
        {
            throw SubscribeErrors.InvalidStart("position", $"position {(int)start.Position} is not known.");
        }

        if (start.FromCase == SubscribeStart.FromOneofCase.ResumeToken && start.ResumeToken.Length == 0)
        {
            throw SubscribeErrors.InvalidStart("resume_token", "resume_token is empty.");
        }

        return new SubscriptionOptions
        {
            Topics = start.Topics,
            Keys = start.Keys,
            Filter = start.Filter,
            Position = start.Position,
            ResumeToken = start.ResumeToken,
            Time = ReadTime(start),
            Overflow = start.Overflow,
            Name = start.Subscription,
            Transport = Transport,
            Remote = peer,
        };
    }

    private static DateTimeOffset? ReadTime(SubscribeStart start)
    {
        if (start.FromCase != SubscribeStart.FromOneofCase.Time)
        {
            return null;
        }

        long seconds = start.Time.Seconds;
        if (seconds < 0 || seconds > s_year10000.ToUnixTimeSeconds() || start.Time.Nanos is < 0 or >= 1_000_000_000)
        {
            throw SubscribeErrors.InvalidStart("time", "time is not a time from 1970 to 9999.");
        }

        return start.Time.ToDateTimeOffset();
    }
}
