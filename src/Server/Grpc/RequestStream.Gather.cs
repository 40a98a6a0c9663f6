using System.Buffers;
using Ingest.Protocol;

namespace Ingest.Server.Grpc;

/// <content>Frames that do not lie in one piece: gathered and decompressed in rented buffers.</content>
public sealed partial class RequestStream
{
    /// <summary>Bytes that a frame's header alone can make us hold.</summary>
    private const int FirstGatherBytes = 64 * 1024;

    /// <summary>How much larger than its contents the gathering buffer may become.</summary>
    private const int GatherGrowth = 4;

    // A frame that did not lie whole in one read: _gathered of _frameBytes bytes are in _scratch. -1: none.
    private byte[] _scratch = [];
    private byte[] _inflated = [];
    private int _frameBytes = -1;
    private int _gathered;
    private byte _frameFlags;
    private long _counted;

    private void Gather()
    {
        var wanted = (int)Math.Min(_buffer.Length, _frameBytes - _gathered);
        EnsureScratch(_gathered + wanted, _gathered);
        var part = _buffer.Slice(0, wanted);
        part.CopyTo(_scratch.AsSpan(_gathered));
        _gathered += wanted;
        _buffer = _buffer.Slice(part.End);
        _segment = default;
        _offset = 0;
    }

    private void EnsureScratch(int needed, int used)
    {
        if (needed <= _scratch.Length)
        {
            return;
        }

        if (_memory is { IsFull: true } && needed >= RequestMemory.LeastBytes)
        {
            GrpcErrors.ThrowNoMemory();
        }

        var target = Math.Max(needed, _frameBytes < 0 ? 0
            : Math.Min(_frameBytes, Math.Max(FirstGatherBytes, needed * (long)GatherGrowth)));
        var larger = ArrayPool<byte>.Shared.Rent((int)target);
        _scratch.AsSpan(0, used).CopyTo(larger);
        Return(ref _scratch);
        _scratch = larger;
        CountBuffers();
    }

    private ReadOnlySpan<byte> Unpack(byte flags, int length)
    {
        LastMessageWasCompressed = flags == MessageFrame.CompressedFlag;
        if (!LastMessageWasCompressed)
        {
            return _scratch.AsSpan(0, length);
        }

        switch (GzipCodec.Decompress(_scratch, length, _maxMessageBytes, ref _inflated, out var inflatedBytes))
        {
            case GzipCodec.Outcome.TooLarge:
                GrpcErrors.ThrowInflatesTooLarge(length, _maxMessageBytes);
                break;
            case GzipCodec.Outcome.Malformed:
                GrpcErrors.ThrowMalformedGzip();
                break;
        }

        CountBuffers();
        return _inflated.AsSpan(0, inflatedBytes);
    }

    private void ReturnBuffers()
    {
        Return(ref _scratch);
        Return(ref _inflated);
        CountBuffers();
    }

    private void CountBuffers()
    {
        long held = (_scratch.Length >= RequestMemory.LeastBytes ? _scratch.Length : 0)
            + (_inflated.Length >= RequestMemory.LeastBytes ? _inflated.Length : 0);
        if (held != _counted)
        {
            _memory?.Add(held - _counted);
            _counted = held;
        }
    }

    private static void Return(ref byte[] rented)
    {
        if (rented.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(rented);
            rented = [];
        }
    }
}
