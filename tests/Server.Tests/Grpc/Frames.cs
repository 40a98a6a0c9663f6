using System.IO.Compression;
using Google.Protobuf;
using Ingest.Protocol;

namespace Ingest.Server.Tests.Grpc;

/// <summary>Message frames by hand.</summary>
internal static class Frames
{
    public static byte[] Of(IMessage message) => Of(message.ToByteArray());

    public static byte[] Of(byte[] message, byte flags = 0)
    {
        var frame = new byte[MessageFrame.HeaderBytes + message.Length];
        MessageFrame.WriteHeader(frame, flags, message.Length);
        message.CopyTo(frame, MessageFrame.HeaderBytes);
        return frame;
    }

    public static byte[] Header(byte flags, uint length) =>
        [flags, (byte)(length >> 24), (byte)(length >> 16), (byte)(length >> 8), (byte)length];

    public static byte[] Gzip(byte[] message)
    {
        using var target = new MemoryStream();
        using (var gzip = new GZipStream(target, CompressionLevel.Optimal, leaveOpen: true))
        {
            gzip.Write(message);
        }

        return target.ToArray();
    }

    public static byte[] Join(params byte[][] parts) => [.. parts.SelectMany(part => part)];

    /// <summary>The frames of a body: flags and message.</summary>
    public static List<(byte Flags, byte[] Message)> Read(byte[] body)
    {
        List<(byte, byte[])> frames = [];
        for (var at = 0; at < body.Length;)
        {
            var flags = MessageFrame.ReadHeader(body.AsSpan(at), out var length);
            at += MessageFrame.HeaderBytes;
            frames.Add((flags, body[at..(at + (int)length)]));
            at += (int)length;
        }

        return frames;
    }
}
