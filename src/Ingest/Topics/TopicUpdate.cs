using System.Text;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Ingest.V1;

namespace Ingest.Topics;

/// <summary>
/// An update of a topic. It never changes; it is serialised once for each encoding, and all subscribers share the
/// bytes.
/// </summary>
public sealed class TopicUpdate
{
    // What an update holds besides its bytes: this object, its key, its place in the ring and among the last of keys.
    private const int OverheadBytes = 256;

    // Objects of a parsed message take about so much more than its bytes.
    private const int ParsedFactor = 4;

    // The names of the protos, as everything else that is JSON here has them; a parser of proto3 JSON takes both.
    private static readonly JsonFormatter s_json = new(
        JsonFormatter.Settings.Default.WithPreserveProtoFieldNames(true));

    private readonly int _payloadStart;
    private TopicRing? _ring;
    private byte[]? _json;
    private Update? _content;
    private long _nextOfKey;

    private TopicUpdate(
        string topic, PayloadKind kind, string key, string epoch, long offset, long emittedAtMicros, byte[] message,
        int payloadStart)
    {
        Topic = topic;
        Kind = kind;
        Key = key;
        Epoch = epoch;
        Offset = offset;
        EmittedAtMicros = emittedAtMicros;
        Message = message;
        _payloadStart = payloadStart;
        HeldBytes = OverheadBytes + message.Length + (2 * key.Length);
    }

    /// <summary>The topic.</summary>
    public string Topic { get; }

    /// <summary>The entity that it is about.</summary>
    public string Key { get; }

    /// <summary>Epoch of the topic.</summary>
    public string Epoch { get; }

    /// <summary>Offset within the epoch.</summary>
    public long Offset { get; }

    /// <summary>When it was emitted, to the microsecond.</summary>
    public DateTimeOffset EmittedAt =>
        DateTimeOffset.UnixEpoch.AddTicks(EmittedAtMicros * TimeSpan.TicksPerMicrosecond);

    /// <summary>
    /// An <c>ingest.v1.Update</c> without <c>resume_token</c> (field 5), which may be appended to it.
    /// </summary>
    public ReadOnlyMemory<byte> Message { get; }

    /// <summary>
    /// The same as proto3 JSON in UTF-8, with the protos' own names; made when it is first asked for.
    /// </summary>
    public ReadOnlyMemory<byte> Json => Volatile.Read(ref _json) ?? MakeJson();

    /// <summary>
    /// The same parsed; made when it is first asked for, and to be left as it is: others have it too.
    /// </summary>
    public Update Content => Volatile.Read(ref _content) ?? MakeContent();

    /// <summary>The payload's bytes.</summary>
    internal ReadOnlySpan<byte> Payload => Message.Span[_payloadStart..];

    /// <summary>What the payload is.</summary>
    internal PayloadKind Kind { get; }

    /// <summary>When it was emitted, in Unix microseconds.</summary>
    internal long EmittedAtMicros { get; }

    /// <summary>Bytes of memory that it holds, about.</summary>
    internal long HeldBytes { get; private set; }

    /// <summary>
    /// Offset of the next update of the same key; 0 while there is none. Set once, by the topic's publisher: so a
    /// cursor sees without any index whether an update was the last of its key at some moment.
    /// </summary>
    internal long NextOfKey
    {
        get => Volatile.Read(ref _nextOfKey);
        set => Volatile.Write(ref _nextOfKey, value);
    }

    /// <summary>Serialises an update.</summary>
    /// <param name="topic">The topic.</param>
    /// <param name="kind">What the payload is.</param>
    /// <param name="key">The entity that it is about.</param>
    /// <param name="epoch">Epoch of the topic.</param>
    /// <param name="offset">Offset within the epoch.</param>
    /// <param name="emittedAtMicros">When it was emitted, in Unix microseconds.</param>
    /// <param name="payload">The payload, serialised.</param>
    internal static TopicUpdate Create(
        string topic, PayloadKind kind, string key, string epoch, long offset, long emittedAtMicros,
        ReadOnlySpan<byte> payload)
    {
        var head = new Update
        {
            Topic = topic, Key = key, Epoch = epoch, Offset = offset, EmittedAt = ToTimestamp(emittedAtMicros),
        };
        int headSize = head.CalculateSize();
        uint tag = WireFormat.MakeTag(kind.UpdateField, WireFormat.WireType.LengthDelimited);
        int payloadStart = headSize + CodedOutputStream.ComputeUInt32Size(tag)
            + CodedOutputStream.ComputeLengthSize(payload.Length);
        byte[] message = new byte[payloadStart + payload.Length];
        using var output = new CodedOutputStream(message);
        head.WriteTo(output);
        output.WriteUInt32(tag);
        output.WriteLength(payload.Length);
        output.Flush();
        payload.CopyTo(message.AsSpan(payloadStart));
        return new TopicUpdate(topic, kind, key, epoch, offset, emittedAtMicros, message, payloadStart);
    }

    /// <summary>Reads an update back from its bytes; null when they are none.</summary>
    /// <param name="message">An <c>ingest.v1.Update</c> without token, as <see cref="Message"/> has it.</param>
    internal static TopicUpdate? TryRead(byte[] message)
    {
        try
        {
            return Read(message);
        }
        catch (InvalidProtocolBufferException)
        {
            return null;
        }
    }

    /// <summary>Says in which ring it stays, whose bytes count its other encodings too.</summary>
    internal void Enter(TopicRing ring) => _ring = ring;

    /// <summary>It leaves its ring; what is made of it from here on is the reader's.</summary>
    /// <returns>Bytes that it held there.</returns>
    internal long Leave()
    {
        lock (this)
        {
            _ring = null;
            return HeldBytes;
        }
    }

    internal static Timestamp ToTimestamp(long micros)
    {
        (long seconds, long rest) = Math.DivRem(micros, 1_000_000);
        return rest < 0
            ? new Timestamp { Seconds = seconds - 1, Nanos = (int)((rest + 1_000_000) * 1000) }
            : new Timestamp { Seconds = seconds, Nanos = (int)(rest * 1000) };
    }

    private static TopicUpdate? Read(byte[] message)
    {
        var input = new CodedInputStream(message);
        var head = new Update();
        while (input.ReadTag() is not 0 and var tag)
        {
            switch (WireFormat.GetTagFieldNumber(tag))
            {
                case Update.TopicFieldNumber:
                    head.Topic = input.ReadString();
                    break;
                case Update.KeyFieldNumber:
                    head.Key = input.ReadString();
                    break;
                case Update.EpochFieldNumber:
                    head.Epoch = input.ReadString();
                    break;
                case Update.OffsetFieldNumber:
                    head.Offset = input.ReadInt64();
                    break;
                case Update.EmittedAtFieldNumber:
                    head.EmittedAt = new Timestamp();
                    input.ReadMessage(head.EmittedAt);
                    break;
                case var number when PayloadKind.OfField(number) is { } kind:
                    int length = input.ReadLength();
                    int start = (int)input.Position;
                    return length != message.Length - start || head.EmittedAt is null ? null : new TopicUpdate(
                        head.Topic, kind, head.Key, head.Epoch, head.Offset,
                        (head.EmittedAt.Seconds * 1_000_000) + (head.EmittedAt.Nanos / 1000), message, start);
                default:
                    input.SkipLastField();
                    break;
            }
        }

        return null;
    }

    // Two readers may make it at once; one of the two results stays.
    private byte[] MakeJson()
    {
        byte[] json = Encoding.UTF8.GetBytes(s_json.Format(Content));
        lock (this)
        {
            if (_json is null)
            {
                Hold(json.Length);
                Volatile.Write(ref _json, json);
            }
        }

        return _json;
    }

    private Update MakeContent()
    {
        Update content = Update.Parser.ParseFrom(Message.Span);
        lock (this)
        {
            if (_content is null)
            {
                Hold(ParsedFactor * Message.Length);
                Volatile.Write(ref _content, content);
            }
        }

        return _content;
    }

    private void Hold(long bytes)
    {
        HeldBytes += bytes;
        _ring?.Hold(bytes);
    }
}
