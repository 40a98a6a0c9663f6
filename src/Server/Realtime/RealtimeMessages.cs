using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Ingest.Topics;
using Ingest.V1;

namespace Ingest.Server.Realtime;

/// <summary>
/// Everything that is said beside updates, each <c>{"message_type": ..., "payload": ...}</c> in UTF-8 on one line.
/// </summary>
internal static class RealtimeMessages
{
    /// <summary>Type of an update.</summary>
    public const string Event = "realtime_event";

    /// <summary>Type of updates that were skipped.</summary>
    public const string Gap = "gap";

    /// <summary>Type of what went wrong.</summary>
    public const string Error = "error";

    /// <summary>Type of the answer to subscribe and unsubscribe.</summary>
    public const string Confirmed = "subscription_confirmed";

    /// <summary>Type of what every connection gets.</summary>
    public const string Broadcast = "broadcast";

    /// <summary>Type of the answer to ping.</summary>
    public const string Pong = "pong";

    /// <summary>Type of an agent's answer.</summary>
    public const string AgentResponse = "agent_response";

    // What is written is JSON in a WebSocket or an event stream, never part of a page.
    private static readonly JsonWriterOptions s_format =
        new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly JsonFormatter s_structs = new(JsonFormatter.Settings.Default);

    /// <summary>What comes before the bytes of an update; what comes after is the connection's.</summary>
    public static ReadOnlySpan<byte> EventStart => "{\"message_type\":\"realtime_event\",\"payload\":"u8;

    /// <summary>A subscription has begun.</summary>
    /// <param name="id">Its name on the connection; null where there is only one.</param>
    /// <param name="topics">What it follows.</param>
    /// <param name="positions">Where it really started.</param>
    /// <param name="resumeToken">Its cursor before the first update.</param>
    /// <param name="ignored">Fields of the request that nobody knows.</param>
    public static ReadOnlyMemory<byte> Subscribed(
        string? id, IEnumerable<string> topics, IEnumerable<TopicPosition> positions, ReadOnlySpan<byte> resumeToken,
        IReadOnlyCollection<string> ignored)
    {
        Utf8JsonWriter json = Begin(Confirmed, out ArrayBufferWriter<byte> buffer);
        json.WriteStartObject("payload"u8);
        json.WriteString("action"u8, "subscribe"u8);
        WriteId(json, id);
        WriteStrings(json, "topics", topics);
        json.WriteStartArray("positions"u8);
        foreach (TopicPosition position in positions)
        {
            WritePosition(json, position);
        }

        json.WriteEndArray();
        json.WriteString("resume_token"u8, resumeToken);
        if (ignored.Count > 0)
        {
            WriteStrings(json, "ignored", ignored);
        }

        json.WriteEndObject();
        return End(json, buffer);
    }

    /// <summary>A subscription has been ended, as asked.</summary>
    public static ReadOnlyMemory<byte> Unsubscribed(
        string id, IEnumerable<string> topics, ReadOnlySpan<byte> resumeToken)
    {
        Utf8JsonWriter json = Begin(Confirmed, out ArrayBufferWriter<byte> buffer);
        json.WriteStartObject("payload"u8);
        json.WriteString("action"u8, "unsubscribe"u8);
        WriteId(json, id);
        WriteStrings(json, "topics", topics);
        json.WriteString("resume_token"u8, resumeToken);
        json.WriteEndObject();
        return End(json, buffer);
    }

    /// <summary>Updates were skipped.</summary>
    /// <param name="gap">Which.</param>
    /// <param name="id">The subscription; null where there is only one.</param>
    /// <param name="resumeToken">Its cursor after the gap.</param>
    public static ReadOnlyMemory<byte> Skipped(Gap gap, string? id, ReadOnlySpan<byte> resumeToken)
    {
        Utf8JsonWriter json = Begin(Gap, out ArrayBufferWriter<byte> buffer);
        json.WriteStartObject("payload"u8);
        json.WriteString("topic"u8, gap.Topic);
        json.WriteString("from_epoch"u8, gap.FromEpoch);
        json.WriteNumber("from_offset"u8, gap.FromOffset);
        json.WriteString("to_epoch"u8, gap.ToEpoch);
        json.WriteNumber("to_offset"u8, gap.ToOffset);
        json.WriteNumber("dropped_count"u8, gap.DroppedCount);
        json.WriteString("reason"u8, RealtimeWords.Of(gap.Reason));
        json.WriteEndObject();
        WriteId(json, id);
        json.WriteString("resume_token"u8, resumeToken);
        return End(json, buffer);
    }

    /// <summary>A subscription's place has moved on without an update that it wanted.</summary>
    public static ReadOnlyMemory<byte> Beat(string id, ReadOnlySpan<byte> resumeToken)
    {
        Utf8JsonWriter json = Begin("heartbeat", out ArrayBufferWriter<byte> buffer);
        json.WriteStartObject("payload"u8);
        json.WriteEndObject();
        WriteId(json, id);
        json.WriteString("resume_token"u8, resumeToken);
        return End(json, buffer);
    }

    /// <summary>Something went wrong.</summary>
    /// <param name="code">A word for programs.</param>
    /// <param name="message">A sentence for people.</param>
    /// <param name="id">The subscription or the request that it is about; null for none.</param>
    /// <param name="field">The field at fault; null for none.</param>
    /// <param name="resumeToken">Where to go on; empty for nowhere.</param>
    public static ReadOnlyMemory<byte> Failed(
        string code, string message, string? id = null, string? field = null, ReadOnlySpan<byte> resumeToken = default)
    {
        Utf8JsonWriter json = Begin(Error, out ArrayBufferWriter<byte> buffer);
        json.WriteStartObject("payload"u8);
        json.WriteString("code"u8, code);
        json.WriteString("message"u8, message);
        WriteId(json, id);
        if (field is not null)
        {
            json.WriteString("field"u8, field);
        }

        if (!resumeToken.IsEmpty)
        {
            json.WriteString("resume_token"u8, resumeToken);
        }

        json.WriteEndObject();
        return End(json, buffer);
    }

    /// <summary>The answer to a ping, with what came with it.</summary>
    public static ReadOnlyMemory<byte> PongTo(JsonElement payload)
    {
        Utf8JsonWriter json = Begin(Pong, out ArrayBufferWriter<byte> buffer);
        WritePayload(json, payload);
        return End(json, buffer);
    }

    /// <summary>What a client says to all.</summary>
    public static ReadOnlyMemory<byte> BroadcastOf(JsonElement payload)
    {
        Utf8JsonWriter json = Begin(Broadcast, out ArrayBufferWriter<byte> buffer);
        WritePayload(json, payload);
        return End(json, buffer);
    }

    /// <summary>The server is about to stop.</summary>
    /// <param name="after">How long the connection still lives.</param>
    public static ReadOnlyMemory<byte> Draining(TimeSpan after)
    {
        Utf8JsonWriter json = Begin(Broadcast, out ArrayBufferWriter<byte> buffer);
        json.WriteStartObject("payload"u8);
        json.WriteString("event"u8, "draining"u8);
        json.WriteNumber("after_seconds"u8, after.TotalSeconds);
        json.WriteString(
            "message"u8, "The server is about to stop; connect again and go on with the last resume_token."u8);
        json.WriteEndObject();
        return End(json, buffer);
    }

    /// <summary>An agent's answer.</summary>
    public static ReadOnlyMemory<byte> Answered(string? id, string agent, string taskType, Struct content)
    {
        Utf8JsonWriter json = Begin(AgentResponse, out ArrayBufferWriter<byte> buffer);
        json.WriteStartObject("payload"u8);
        WriteId(json, id);
        json.WriteString("agent"u8, agent);
        json.WriteString("task_type"u8, taskType);
        json.WritePropertyName("content"u8);
        json.WriteRawValue(s_structs.Format(content));
        json.WriteEndObject();
        return End(json, buffer);
    }

    /// <summary>Writes a place in a topic.</summary>
    public static void WritePosition(Utf8JsonWriter json, TopicPosition position)
    {
        json.WriteStartObject();
        json.WriteString("topic"u8, position.Topic);
        json.WriteString("epoch"u8, position.Epoch);
        json.WriteNumber("offset"u8, position.Offset);
        json.WriteBoolean("recovered"u8, position.Recovered);
        json.WriteEndObject();
    }

    private static Utf8JsonWriter Begin(string type, out ArrayBufferWriter<byte> buffer)
    {
        buffer = new ArrayBufferWriter<byte>(256);
        var json = new Utf8JsonWriter(buffer, s_format);
        json.WriteStartObject();
        json.WriteString("message_type"u8, type);
        return json;
    }

    private static ReadOnlyMemory<byte> End(Utf8JsonWriter json, ArrayBufferWriter<byte> buffer)
    {
        json.WriteEndObject();
        json.Dispose();
        return buffer.WrittenMemory;
    }

    private static void WriteId(Utf8JsonWriter json, string? id)
    {
        if (id is not null)
        {
            json.WriteString("id"u8, id);
        }
    }

    private static void WriteStrings(Utf8JsonWriter json, string name, IEnumerable<string> values)
    {
        json.WriteStartArray(name);
        foreach (string value in values)
        {
            json.WriteStringValue(value);
        }

        json.WriteEndArray();
    }

    private static void WritePayload(Utf8JsonWriter json, JsonElement payload)
    {
        json.WritePropertyName("payload"u8);
        if (payload.ValueKind == JsonValueKind.Undefined)
        {
            json.WriteStartObject();
            json.WriteEndObject();
        }
        else
        {
            payload.WriteTo(json);
        }
    }
}
