using System.Text.Json;
using System.Text.Json.Nodes;
using Ingest.Server.Http;
using Ingest.Topics;

namespace Ingest.Server.Realtime;

/// <summary>What <c>/realtime/status</c>, <c>/realtime/connections</c> and <c>/health</c> say.</summary>
internal static class RealtimeStatus
{
    /// <summary>Subscribers and connections that <c>/realtime/connections</c> lists; the totals count all.</summary>
    public const int MaxListed = 1000;

    /// <summary>Name of a transport in answers and metrics.</summary>
    public static string NameOf(RealtimeTransport transport) =>
        transport == RealtimeTransport.Sse ? "sse" : "websocket";

    /// <summary>Adds to <c>/health</c> what it says of this.</summary>
    public static void AddTo(Health health, RealtimeServices services)
    {
        RealtimeOptions options = services.Options;
        health.AddDetail("realtime_enabled", () => options.Enabled);
        health.AddDetail("websocket_enabled", () => options.Enabled && options.WebSocket.Enabled);
        health.AddDetail("connections", () => services.Connections.Count);
        health.AddDetail("message_count", () => services.Metrics.Sent);
        health.AddDetail("error_count", () => services.Metrics.Errors);
    }

    /// <summary>Writes <c>/realtime/status</c>: what is on, what was counted, and the topics.</summary>
    public static void WriteStatus(Utf8JsonWriter json, RealtimeServices services)
    {
        RealtimeMetrics metrics = services.Metrics;
        json.WriteStartObject();
        json.WriteBoolean("realtime_enabled", services.Options.Enabled);
        json.WriteBoolean("websocket_enabled", services.Options.WebSocket.Enabled);
        json.WriteBoolean("sse_enabled", services.Options.Sse.Enabled);
        WriteTotals(json, services);
        json.WriteNumber("messages_received", metrics.Received);
        json.WriteNumber("messages_sent", metrics.Sent);
        json.WriteNumber(
            "bytes_sent", Enum.GetValues<RealtimeTransport>().Sum(transport => metrics.Of(transport).SentBytes));
        json.WriteNumber("errors", metrics.Errors);
        json.WriteNumber("refused", metrics.Refused);
        json.WriteNumber("unread", Enum.GetValues<RealtimeTransport>().Sum(transport => metrics.Of(transport).Unread));
        json.WriteNumber(
            "too_slow", Enum.GetValues<RealtimeTransport>().Sum(transport => metrics.Of(transport).TooSlow));
        json.WriteStartArray("topics");
        foreach (TopicStatus topic in services.Topics.Topics)
        {
            json.WriteStartObject();
            json.WriteString("topic", topic.Name);
            json.WriteString("epoch", topic.Epoch);
            json.WriteNumber("next_offset", topic.NextOffset);
            json.WriteNumber("oldest_offset", topic.OldestOffset);
            json.WriteNumber("count", topic.Count);
            json.WriteNumber("bytes", topic.Bytes);
            json.WriteNumber("subscribers", topic.Subscribers);
            if (topic.LastEmittedAt is { } last)
            {
                json.WriteString("last_emitted_at", last);
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>
    /// Writes <c>/realtime/connections</c>: totals, subscribers of each topic, and of each subscriber how far it is
    /// behind, what it missed and its policy; subscribers over gRPC included.
    /// </summary>
    public static void WriteConnections(Utf8JsonWriter json, RealtimeServices services)
    {
        json.WriteStartObject();
        WriteTotals(json, services);
        json.WriteStartArray("topics");
        foreach (TopicStatus topic in services.Topics.Topics)
        {
            json.WriteStartObject();
            json.WriteString("topic", topic.Name);
            json.WriteNumber("subscribers", topic.Subscribers);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartArray("subscribers");
        foreach (SubscriptionStatus subscriber in services.Topics.Subscriptions.Take(MaxListed))
        {
            WriteSubscriber(json, subscriber);
        }

        json.WriteEndArray();
        json.WriteStartArray("connections");
        foreach (RealtimeConnection connection in services.Connections.All.Take(MaxListed))
        {
            WriteConnection(json, connection);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteTotals(Utf8JsonWriter json, RealtimeServices services)
    {
        json.WriteStartObject("totals");
        json.WriteNumber("connections", services.Connections.Count);
        foreach (RealtimeTransport transport in Enum.GetValues<RealtimeTransport>())
        {
            json.WriteNumber($"{NameOf(transport)}_connections", services.Metrics.Of(transport).Active);
        }

        json.WriteNumber("subscribers", services.Topics.Subscriptions.Count);
        json.WriteEndObject();
    }

    private static void WriteSubscriber(Utf8JsonWriter json, SubscriptionStatus subscriber)
    {
        json.WriteStartObject();
        if (subscriber.Name.Length > 0)
        {
            json.WriteString("subscription", subscriber.Name);
        }

        json.WriteString("transport", subscriber.Transport);
        json.WriteString("remote", subscriber.Remote);
        json.WriteStartArray("topics");
        foreach (string topic in subscriber.Topics)
        {
            json.WriteStringValue(topic);
        }

        json.WriteEndArray();
        json.WriteString("policy", RealtimeWords.Of(subscriber.Policy));
        json.WriteNumber("lag_messages", subscriber.LagMessages);
        json.WriteNumber("lag_seconds", subscriber.LagTime.TotalSeconds);
        json.WriteNumber("delivered", subscriber.Delivered);
        json.WriteNumber("dropped", subscriber.Dropped);
        json.WriteNumber("gaps", subscriber.Gaps);
        json.WriteString("since", subscriber.Since);
        json.WriteEndObject();
    }

    private static void WriteConnection(Utf8JsonWriter json, RealtimeConnection connection)
    {
        json.WriteStartObject();
        json.WriteString("transport", NameOf(connection.Transport));
        json.WriteString("remote", connection.Remote);
        json.WriteString("path", connection.Path);
        json.WriteNumber("subscriptions", connection.SubscriptionIds.Count);
        json.WriteNumber("messages_received", connection.Received);
        json.WriteNumber("messages_sent", connection.Sent);
        json.WriteNumber("bytes_sent", connection.SentBytes);
        json.WriteString("since", connection.Since);
        json.WriteEndObject();
    }
}
