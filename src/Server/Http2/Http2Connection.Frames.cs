using System.Buffers.Binary;

namespace Ingest.Server.Http2;

/// <content>Frames, in the order of RFC 9113, 6. A method returns false when the connection is to end for it.</content>
internal sealed partial class Http2Connection
{
    private const int SettingBytes = 6;
    private const int PingBytes = 8;
    private const int PriorityBytes = 5;

    private Http2ErrorCode _fault = Http2ErrorCode.NoError;
    private bool _hasPreface;
    private bool _hasSettings;
    private int _clientWindow = FrameHeader.DefaultWindow;

    private static ReadOnlySpan<byte> Preface => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8;

    // Takes all whole frames, and of DATA what there is.
    private bool ParseFrames()
    {
        if (!_hasPreface && !TakePreface())
        {
            return _fault == Http2ErrorCode.NoError;
        }

        while (true)
        {
            if (_dataLeft + _paddingLeft > 0)
            {
                TakeData();
                if (_dataLeft + _paddingLeft > 0)
                {
                    return true;
                }
            }

            ReadOnlySpan<byte> rest = _block!.Array.AsSpan(_start, _end - _start);
            if (rest.Length < FrameHeader.Bytes)
            {
                return true;
            }

            FrameHeader header = FrameHeader.Read(rest);
            if (header.Length > FrameHeader.DefaultMaxLength)
            {
                return Fail(Http2ErrorCode.FrameSizeError, "a frame is larger than our settings allow");
            }

            if (!IsExpected(header))
            {
                return Fail(Http2ErrorCode.ProtocolError, "a frame comes where it may not");
            }

            rest = rest[FrameHeader.Bytes..];
            if (header.Type == FrameType.Data)
            {
                bool isPadded = header.Flags.HasFlag(FrameFlags.Padded);
                if (isPadded && header.Length == 0)
                {
                    return Fail(Http2ErrorCode.FrameSizeError, "DATA does not say how much of it is padding");
                }

                if (isPadded && rest.IsEmpty)
                {
                    return true;
                }

                _start += FrameHeader.Bytes;
                if (!OnData(header, isPadded ? rest[0] : -1))
                {
                    return false;
                }

                continue;
            }

            if (rest.Length < header.Length)
            {
                return true;
            }

            _start += FrameHeader.Bytes + header.Length;
            if (!OnFrame(header, rest[..header.Length]))
            {
                return false;
            }
        }
    }

    private bool TakePreface()
    {
        ReadOnlySpan<byte> rest = _block!.Array.AsSpan(_start, _end - _start);
        int count = Math.Min(rest.Length, Preface.Length);
        if (!rest[..count].SequenceEqual(Preface[..count]))
        {
            return Fail(Http2ErrorCode.ProtocolError, "the client does not speak HTTP/2");
        }

        if (count < Preface.Length)
        {
            return false;
        }

        _start += count;
        _hasPreface = true;
        return true;
    }

    private bool IsExpected(FrameHeader header) => _headersId != 0
        ? header.Type == FrameType.Continuation && header.StreamId == _headersId
        : header.Type != FrameType.Continuation
            && (_hasSettings || (header.Type == FrameType.Settings && !header.Flags.HasFlag(FrameFlags.Ack)));

    private bool OnFrame(FrameHeader header, ReadOnlySpan<byte> payload)
    {
        switch (header.Type)
        {
            case FrameType.Headers:
                return OnHeaders(header, payload);
            case FrameType.Continuation:
                return OnContinuation(header, payload);
            case FrameType.Priority:
                return OnPriority(header, payload);
            case FrameType.ResetStream:
                return OnReset(header, payload);
            case FrameType.Settings:
                return OnSettings(header, payload);
            case FrameType.PushPromise:
                return Fail(Http2ErrorCode.ProtocolError, "clients cannot push");
            case FrameType.Ping:
                return OnPing(header, payload);
            case FrameType.GoAway:
                return header.StreamId == 0
                    ? payload.Length >= 8 ? OnGoAway() : Fail(Http2ErrorCode.FrameSizeError, "GOAWAY is too short")
                    : Fail(Http2ErrorCode.ProtocolError, "GOAWAY is for a stream");
            case FrameType.WindowUpdate:
                return OnWindowUpdate(header, payload);
            default:
                return Spend();
        }
    }

    private bool OnPriority(FrameHeader header, ReadOnlySpan<byte> payload)
    {
        if (header.StreamId == 0)
        {
            return Fail(Http2ErrorCode.ProtocolError, "PRIORITY is for no stream");
        }

        if (payload.Length != PriorityBytes)
        {
            return Fail(Http2ErrorCode.FrameSizeError, "PRIORITY has not five bytes");
        }

        return DependsOn(payload) == header.StreamId
            ? Fail(Http2ErrorCode.ProtocolError, "a stream depends on itself")
            : Spend();
    }

    private static int DependsOn(ReadOnlySpan<byte> priority) =>
        (int)(BinaryPrimitives.ReadUInt32BigEndian(priority) & int.MaxValue);

    private bool OnReset(FrameHeader header, ReadOnlySpan<byte> payload)
    {
        if (header.StreamId == 0 || header.StreamId > _lastStreamId)
        {
            return Fail(Http2ErrorCode.ProtocolError, "RST_STREAM is for no stream that there was");
        }

        if (payload.Length != sizeof(uint))
        {
            return Fail(Http2ErrorCode.FrameSizeError, "RST_STREAM has not four bytes");
        }

        if (Find(header.StreamId) is { } stream)
        {
            Remove(stream);
            stream.OnReset();
        }

        return Spend();
    }

    private bool OnSettings(FrameHeader header, ReadOnlySpan<byte> payload)
    {
        if (header.StreamId != 0)
        {
            return Fail(Http2ErrorCode.ProtocolError, "SETTINGS are for a stream");
        }

        if (header.Flags.HasFlag(FrameFlags.Ack))
        {
            return payload.IsEmpty ? Spend() : Fail(Http2ErrorCode.FrameSizeError, "an acknowledgement has settings");
        }

        if (payload.Length % SettingBytes != 0)
        {
            return Fail(Http2ErrorCode.FrameSizeError, "SETTINGS are no multiple of six bytes");
        }

        _hasSettings = true;
        for (; !payload.IsEmpty; payload = payload[SettingBytes..])
        {
            var id = (SettingId)BinaryPrimitives.ReadUInt16BigEndian(payload);
            if (!Set(id, BinaryPrimitives.ReadUInt32BigEndian(payload[sizeof(ushort)..])))
            {
                return false;
            }
        }

        Output.Write(FrameType.Settings, FrameFlags.Ack, 0, default);
        return Spend();
    }

    private bool Set(SettingId id, uint value)
    {
        switch (id)
        {
            case SettingId.HeaderTableSize:
                if (value < Hpack.HpackDecoder.DefaultTableBytes)
                {
                    Output.EmptyTable();
                }

                return true;
            case SettingId.EnablePush:
                return value <= 1 || Fail(Http2ErrorCode.ProtocolError, "ENABLE_PUSH is neither 0 nor 1");
            case SettingId.InitialWindowSize:
                return value <= int.MaxValue
                    ? SetClientWindow((int)value)
                    : Fail(Http2ErrorCode.FlowControlError, "INITIAL_WINDOW_SIZE is too large");
            case SettingId.MaxFrameSize:
                if (value is < FrameHeader.DefaultMaxLength or > 0xFF_FFFF)
                {
                    return Fail(Http2ErrorCode.ProtocolError, "MAX_FRAME_SIZE is out of range");
                }

                // Small frames leave room for other streams; larger ones would not be cheaper.
                return true;
            default:
                return true;
        }
    }

    private bool SetClientWindow(int bytes)
    {
        int more = bytes - _clientWindow;
        _clientWindow = bytes;
        foreach (Http2Stream stream in Streams())
        {
            if (!stream.AddWindow(more))
            {
                return Fail(Http2ErrorCode.FlowControlError, "INITIAL_WINDOW_SIZE makes a window too large");
            }
        }

        return true;
    }

    private bool OnPing(FrameHeader header, ReadOnlySpan<byte> payload)
    {
        if (header.StreamId != 0)
        {
            return Fail(Http2ErrorCode.ProtocolError, "PING is for a stream");
        }

        if (payload.Length != PingBytes)
        {
            return Fail(Http2ErrorCode.FrameSizeError, "PING has not eight bytes");
        }

        if (!header.Flags.HasFlag(FrameFlags.Ack))
        {
            Output.Write(FrameType.Ping, FrameFlags.Ack, 0, payload);
        }

        return Spend();
    }

    // The client makes no more streams; it closes the connection when it has done.
    private bool OnGoAway()
    {
        lock (_gate)
        {
            _isDraining = true;
        }

        DismissEarly(all: true);
        CloseWhenIdle();
        return Spend();
    }

    private bool OnWindowUpdate(FrameHeader header, ReadOnlySpan<byte> payload)
    {
        if (payload.Length != sizeof(uint))
        {
            return Fail(Http2ErrorCode.FrameSizeError, "WINDOW_UPDATE has not four bytes");
        }

        int more = (int)(BinaryPrimitives.ReadUInt32BigEndian(payload) & int.MaxValue);
        if (header.StreamId == 0)
        {
            return more == 0 ? Fail(Http2ErrorCode.ProtocolError, "WINDOW_UPDATE adds nothing")
                : Output.AddWindow(more)
                || Fail(Http2ErrorCode.FlowControlError, "WINDOW_UPDATE makes the window too large");
        }

        if (header.StreamId > _lastStreamId)
        {
            return Fail(Http2ErrorCode.ProtocolError, "WINDOW_UPDATE is for a stream that there is not yet");
        }

        if (Find(header.StreamId) is { } stream)
        {
            if (more == 0)
            {
                return Fault(stream, Http2ErrorCode.ProtocolError);
            }

            if (!stream.AddWindow(more))
            {
                return Fault(stream, Http2ErrorCode.FlowControlError);
            }
        }

        return true;
    }

    // A client that has its streams reset for their faults costs as much as one that resets them (CVE-2025-8671).
    private bool Fault(Http2Stream stream, Http2ErrorCode code)
    {
        Reset(stream, code);
        return Spend();
    }

    private bool Fail(Http2ErrorCode code, string reason)
    {
        _fault = code;
        LogMessages.Http2Fault(_logger, _context.ConnectionId, code, reason);
        return false;
    }
}
