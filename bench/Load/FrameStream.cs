using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using Ingest.V1;

namespace Ingest.Load;

/// <summary>One call of a <see cref="FrameConnection"/>: what it may send, and what it heard.</summary>
/// <remarks>Its connection's sender writes, its receiver reads; they meet in counters.</remarks>
internal sealed partial class FrameStream(int id, bool isAppend, Func<long> nowMicros, Func<long> countsFrom)
{
    private readonly ConcurrentQueue<(long End, long DueMicros)> _waiting = new();
    private byte[] _part = [];
    private long _window;
    private long _credit = isAppend ? 0 : long.MaxValue / 2;
    private long _durable;
    private long _resendFrom = -1;
    private long _resendAtMicros;
    private volatile bool _ended;

    /// <summary>Its number on the connection.</summary>
    public int Id => id;

    /// <summary>When its next message is due, microseconds of the load's clock.</summary>
    public long DueMicros { get; set; }

    /// <summary>Messages sent so far.</summary>
    public int Sent { get; private set; }

    /// <summary>Where among the messages it begins, so that streams do not send the same points at the same time.</summary>
    public int FirstMessage { get; set; }

    /// <summary>The message to send next; counted on over the last one.</summary>
    public int NextMessage => FirstMessage + Sent;

    /// <summary>Offset of its next row.</summary>
    public long NextOffset { get; private set; }

    /// <summary>Rows that the server has said are durable.</summary>
    public long Durable => Volatile.Read(ref _durable);

    /// <summary>Rows that it said were rejected.</summary>
    public long Rejected { get; private set; }

    /// <summary>Refusals in band.</summary>
    public long Refusals { get; private set; }

    /// <summary>Whether the call is over.</summary>
    public bool HasEnded => _ended;

    /// <summary>Whether it may send at all: Append was opened.</summary>
    public bool IsOpen { get; private set; } = !isAppend;

    /// <summary>The <c>grpc-status</c>; -1 when none came.</summary>
    public int Status { get; private set; } = -1;

    /// <summary>Times of the acks of messages that were due when the warm-up was over.</summary>
    public LatencyHistogram Latency { get; } = new();

    /// <summary>Adds to what flow control lets it send.</summary>
    public void AddWindow(long bytes) => Interlocked.Add(ref _window, bytes);

    /// <summary>Whether the message may go now.</summary>
    public bool MaySend(FrameMessage message, long now) =>
        IsOpen && !_ended && Volatile.Read(ref _window) >= message.PayloadBytes
        && Volatile.Read(ref _credit) >= message.MessageBytes && now >= Volatile.Read(ref _resendAtMicros);

    /// <summary>Notes that a message goes, and says with which offset.</summary>
    public long BeginSend(FrameMessage message, int rows)
    {
        if (Interlocked.Exchange(ref _resendFrom, -1) is >= 0 and var from)
        {
            NextOffset = from;
            _waiting.Clear();
        }

        long offset = NextOffset;
        NextOffset += rows;
        Sent++;
        Interlocked.Add(ref _window, -message.PayloadBytes);
        Interlocked.Add(ref _credit, -message.MessageBytes);
        if (isAppend)
        {
            _waiting.Enqueue((NextOffset, DueMicros));
        }

        return offset;
    }

    /// <summary>Takes bytes of the response.</summary>
    public void Receive(ReadOnlySpan<byte> data)
    {
        const int Header = 5;
        byte[] all = [.. _part, .. data];
        int at = 0;
        while (all.Length - at >= Header)
        {
            int length = System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(all.AsSpan(at + 1));
            if (all.Length - at - Header < length)
            {
                break;
            }

            Take(all.AsSpan(at + Header, length));
            at += Header + length;
        }

        _part = all[at..];
    }

    /// <summary>Takes a block of headers or trailers.</summary>
    public void TakeHeaders(string block)
    {
        // A literal of one or two digits behind the name: our settings shut the dynamic table off.
        if (StatusField().Match(block) is { Success: true } status)
        {
            Status = int.Parse(status.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture);
        }
    }

    /// <summary>The call is over.</summary>
    public void End() => _ended = true;

    private void Take(ReadOnlySpan<byte> message)
    {
        if (!isAppend)
        {
            StreamGpsPointsResponse response = StreamGpsPointsResponse.Parser.ParseFrom(message);
            Volatile.Write(ref _durable, response.AcceptedCount);
            Rejected = response.RejectedCount;
            return;
        }

        AppendResponse answer = AppendResponse.Parser.ParseFrom(message);
        switch (answer.ResponseCase)
        {
            case AppendResponse.ResponseOneofCase.Opened:
                Interlocked.Add(ref _credit, answer.Opened.CreditBytes);
                IsOpen = true;
                break;
            case AppendResponse.ResponseOneofCase.Credit:
                Interlocked.Add(ref _credit, answer.Credit.Bytes);
                break;
            case AppendResponse.ResponseOneofCase.Refusal:
                Refusals++;
                Volatile.Write(
                    ref _resendAtMicros,
                    nowMicros() + (answer.Refusal.RetryAfter is { } delay ? (long)delay.ToTimeSpan().TotalMicroseconds : 0));
                Interlocked.Exchange(ref _resendFrom, answer.Refusal.ExpectedOffset);
                break;
            case AppendResponse.ResponseOneofCase.Ack:
                TakeAck(answer.Ack);
                break;
        }
    }

    private void TakeAck(AppendAck ack)
    {
        Rejected = ack.RejectedCount;
        Volatile.Write(ref _durable, ack.DurableOffset);
        long now = nowMicros();
        while (_waiting.TryPeek(out (long End, long DueMicros) sent) && sent.End <= ack.DurableOffset
            && _waiting.TryDequeue(out sent))
        {
            if (sent.DueMicros >= countsFrom())
            {
                Latency.Add(now - sent.DueMicros);
            }
        }
    }

    [GeneratedRegex("grpc-status[\u0001\u0002]([0-9]{1,2})")]
    private static partial Regex StatusField();
}
