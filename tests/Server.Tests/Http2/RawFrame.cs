using System.Buffers.Binary;

namespace Ingest.Server.Tests.Http2;

/// <summary>A frame as it goes over the wire, right or wrong.</summary>
internal sealed record RawFrame(RawType Type, byte Flags, uint Stream, byte[] Payload)
{
    public const byte EndStream = 0x1;
    public const byte Ack = 0x1;
    public const byte EndHeaders = 0x4;
    public const byte Padded = 0x8;
    public const byte HasPriority = 0x20;
    public const int HeaderBytes = 9;

    public static RawFrame Data(uint stream, byte[] payload, bool end = false) =>
        new(RawType.Data, end ? EndStream : (byte)0, stream, payload);

    /// <summary>DATA with padding; <paramref name="said"/> is what its first byte says of it.</summary>
    public static RawFrame PaddedData(uint stream, byte[] payload, int padding, int said, bool end = false) =>
        new(RawType.Data, (byte)(Padded | (end ? EndStream : 0)), stream, [(byte)said, .. payload, .. new byte[padding]]);

    /// <summary>A whole header block.</summary>
    public static RawFrame Headers(uint stream, byte[] block, bool end = false) =>
        new(RawType.Headers, (byte)(EndHeaders | (end ? EndStream : 0)), stream, block);

    /// <summary>The beginning of a header block.</summary>
    public static RawFrame OpenHeaders(uint stream, byte[] block, bool end = false) =>
        new(RawType.Headers, end ? EndStream : (byte)0, stream, block);

    public static RawFrame Continuation(uint stream, byte[] block, bool last) =>
        new(RawType.Continuation, last ? EndHeaders : (byte)0, stream, block);

    public static RawFrame Settings(params (RawSetting Id, uint Value)[] settings) =>
        new(RawType.Settings, 0, 0, [.. settings.SelectMany(setting => (byte[])
            [(byte)((ushort)setting.Id >> 8), (byte)setting.Id, .. Number(setting.Value)])]);

    public static RawFrame SettingsAck() => new(RawType.Settings, Ack, 0, []);

    public static RawFrame Ping(byte fill, byte flags = 0) =>
        new(RawType.Ping, flags, 0, [.. Enumerable.Repeat(fill, 8)]);

    public static RawFrame WindowUpdate(uint stream, uint bytes) => new(RawType.WindowUpdate, 0, stream, Number(bytes));

    public static RawFrame Reset(uint stream, RawError error) => new(RawType.Reset, 0, stream, Number((uint)error));

    public static RawFrame GoAway(uint lastStream, RawError error, byte[]? debug = null) =>
        new(RawType.GoAway, 0, 0, [.. Number(lastStream), .. Number((uint)error), .. debug ?? []]);

    /// <summary>PRIORITY that makes a stream depend on another.</summary>
    public static RawFrame Priority(uint stream, uint parent) =>
        new(RawType.Priority, 0, stream, [.. Number(parent), 15]);

    public uint NumberAt(int offset) => BinaryPrimitives.ReadUInt32BigEndian(Payload.AsSpan(offset));

    public byte[] ToBytes() =>
    [
        (byte)(Payload.Length >> 16), (byte)(Payload.Length >> 8), (byte)Payload.Length, (byte)Type, Flags,
        .. Number(Stream), .. Payload,
    ];

    public override string ToString() => $"{Type} {Flags:X} {Stream} ({Payload.Length})";

    private static byte[] Number(uint value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        return bytes;
    }
}
