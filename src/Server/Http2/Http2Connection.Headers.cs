using System.Buffers;
using Ingest.Server.Http2.Hpack;

namespace Ingest.Server.Http2;

/// <content>HEADERS: requests, and the fields behind them.</content>
internal sealed partial class Http2Connection
{
    // The pseudo-headers of a request count, too.
    private const int PseudoHeaders = 4;

    // A block under way: whose it is, 0 when there is none, and what of it came in frames before.
    private int _headersId;
    private bool _headersEndRequest;
    private ArrayBufferWriter<byte>? _headersPart;
    private int _lastStreamId;

    private bool OnHeaders(FrameHeader header, ReadOnlySpan<byte> payload)
    {
        if ((header.StreamId & 1) == 0)
        {
            return Fail(Http2ErrorCode.ProtocolError, "HEADERS are for a stream that no client can make");
        }

        int padding = 0;
        if (header.Flags.HasFlag(FrameFlags.Padded))
        {
            if (payload.IsEmpty)
            {
                return Fail(Http2ErrorCode.FrameSizeError, "HEADERS are too short");
            }

            padding = payload[0];
            payload = payload[1..];
        }

        int priority = header.Flags.HasFlag(FrameFlags.Priority) ? PriorityBytes : 0;
        if (priority + padding > payload.Length)
        {
            return Fail(Http2ErrorCode.ProtocolError, "HEADERS have more padding than bytes");
        }

        if (priority > 0 && DependsOn(payload) == header.StreamId)
        {
            return Fail(Http2ErrorCode.ProtocolError, "a stream depends on itself");
        }

        payload = payload[priority..^padding];
        _headersId = header.StreamId;
        _headersEndRequest = header.Flags.HasFlag(FrameFlags.EndStream);
        if (header.Flags.HasFlag(FrameFlags.EndHeaders))
        {
            return OnFields(payload);
        }

        _headersPart = new ArrayBufferWriter<byte>(2 * payload.Length + 1);
        _headersPart.Write(payload);
        return true;
    }

    private bool OnContinuation(FrameHeader header, ReadOnlySpan<byte> payload)
    {
        ArrayBufferWriter<byte> part = _headersPart!;
        part.Write(payload);
        if (part.WrittenCount > 2 * _limits.MaxRequestHeadersTotalSize)
        {
            return Fail(Http2ErrorCode.EnhanceYourCalm, "a block of fields does not end");
        }

        if (!header.Flags.HasFlag(FrameFlags.EndHeaders))
        {
            return !payload.IsEmpty || Spend();
        }

        _headersPart = null;
        return OnFields(part.WrittenSpan);
    }

    private bool OnFields(ReadOnlySpan<byte> block)
    {
        int id = _headersId;
        _headersId = 0;
        Http2Stream? known = Find(id);
        var fields = new RequestFields(known is null);
        HpackError error = _decoder.Decode(
            block, ref fields, _limits.MaxRequestHeadersTotalSize, _limits.MaxRequestHeaderCount + PseudoHeaders);
        if (error is not (HpackError.None or HpackError.TooLarge))
        {
            return Fail(Http2ErrorCode.CompressionError, "a block of fields cannot be read");
        }

        if (known is not null)
        {
            return OnTrailers(known, fields, error);
        }

        if (id <= _lastStreamId)
        {
            return IsForgiven(id) || Fail(Http2ErrorCode.StreamClosed, "HEADERS are for a stream that was closed");
        }

        _lastStreamId = id;
        if (error == HpackError.TooLarge)
        {
            return Refuse(id, StatusCodes.Status431RequestHeaderFieldsTooLarge);
        }

        if (!fields.IsRequest)
        {
            return Refuse(id, Http2ErrorCode.ProtocolError);
        }

        if (!TryAdd(id, fields, out Http2Stream? stream))
        {
            return Refuse(id, Http2ErrorCode.RefusedStream);
        }

        if (_headersEndRequest)
        {
            EndRequest(stream);
        }

        Schedule(stream, StreamWork.Start);
        return true;
    }

    private bool OnTrailers(Http2Stream stream, in RequestFields fields, HpackError error)
    {
        if (stream.IsRequestEnded)
        {
            return Fault(stream, Http2ErrorCode.StreamClosed);
        }
        else if (!_headersEndRequest)
        {
            return Fail(Http2ErrorCode.ProtocolError, "fields behind a body do not end the request");
        }
        else if (error != HpackError.None || !fields.AreTrailers)
        {
            return Fault(stream, Http2ErrorCode.ProtocolError);
        }
        else
        {
            stream.SetTrailers(fields.Headers);
            EndRequest(stream);
        }

        return true;
    }

    private bool TryAdd(
        int id, in RequestFields fields, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out Http2Stream? stream)
    {
        int most = _limits.Http2.MaxStreamsPerConnection;
        lock (_gate)
        {
            // Those that were reset and still run are no streams any more, but they are work.
            if (_isClosing || _streams.Count >= most || Volatile.Read(ref _running) >= 2 * most)
            {
                stream = null;
                return false;
            }

            // From here on the connection is not idle, and is not closed as such.
            Interlocked.Increment(ref _running);
        }

        stream = _application.CreateStream(this, id);
        stream.Begin(fields, _clientWindow, _headersEndRequest);
        lock (_gate)
        {
            _streams.Add(id, stream);
        }

        return true;
    }

    private bool Refuse(int id, Http2ErrorCode code)
    {
        Output.WriteReset(id, code);
        Forgive(id);
        return Spend();
    }

    private bool Refuse(int id, int status)
    {
        Span<byte> block = stackalloc byte[HpackEncoder.MaxStatusBytes];
        int count = HpackEncoder.WriteStatus(status, block);
        Output.WriteAnswer(id, block[..count]);
        if (!_headersEndRequest)
        {
            Output.WriteReset(id, Http2ErrorCode.NoError);
        }

        Forgive(id);
        return Spend();
    }
}
