using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;
using Ingest.Protocol;
using Ingest.Server.Grpc;
using Ingest.Server.Tests.Grpc;

namespace Ingest.Server.Tests.Http2;

/// <summary>Frames that nobody would send, in any order and cut anywhere: the server lives, and keeps nothing of them.</summary>
[Collection(ForeignClients.Collection)]
public sealed class RandomFrameTests
{
    private const int Connections = 300;
    private const int MostFrames = 60;
    private const int HeaderBytes = 9;

    private static readonly string[] s_paths =
    [
        "/grpc.testing.TestService/EmptyCall", "/grpc.testing.TestService/UnaryCall", "/ingest.testing.v1.ProbeService/Count",
        "/ingest.testing.v1.ProbeService/Echo", "/ingest.testing.v1.ProbeService/Flood", "/ingest.testing.v1.ProbeService/Refuse",
        "/ingest.testing.v1.ProbeService/Hang", "/nothing",
    ];

    [Fact]
    public async Task Random_frames_leave_nothing_behind()
    {
        await using var host = await TestHost.StartAsync(new GrpcServerOptions { Http2 = Http2Kind.Own });
        for (var seed = 0; seed < Connections; seed++)
        {
            await SendAsync(host.GrpcAddress, new Random(seed));
        }

        await Wait.UntilAsync(() => host.Drain.ActiveCalls == 0, "no call runs");
        Assert.Equal(StatusCode.Ok, (await RawCall.SendAsync(host.Client, s_paths[0], Frames.Of([]))).Status);
    }

    private static async Task SendAsync(Uri address, Random random)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(address.Host, address.Port);
        var reading = DrainAsync(socket);
        try
        {
            await socket.SendAsync(Encoding.ASCII.GetBytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
            await socket.SendAsync(Frame(4, 0, 0, []));
            var bytes = new List<byte>();
            var count = random.Next(1, MostFrames);
            for (var i = 0; i < count; i++)
            {
                bytes.AddRange(Next(random));
            }

            for (ReadOnlyMemory<byte> rest = bytes.ToArray(); !rest.IsEmpty;)
            {
                var part = rest[..Math.Min(rest.Length, random.Next(1, random.Next(2) == 0 ? 40 : 40_000))];
                await socket.SendAsync(part);
                rest = rest[part.Length..];
            }

            if (random.Next(2) == 0)
            {
                socket.Shutdown(SocketShutdown.Send);
                await reading.WaitAsync(Wait.Limit);
            }
            else
            {
                socket.Close(random.Next(2));
            }
        }
        catch (SocketException)
        {
            // The server had enough.
        }

        socket.Dispose();
        await reading.WaitAsync(Wait.Limit);
    }

    private static async Task DrainAsync(Socket socket)
    {
        var buffer = new byte[4096];
        try
        {
            while (await socket.ReceiveAsync(buffer) > 0)
            {
            }
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            // As it may be.
        }
    }

    // Mostly right, so that what is wrong meets streams that run.
    private static byte[] Next(Random random)
    {
        var stream = (uint)random.Next(0, 24) | (random.Next(10) > 0 ? 1u : 0);
        var flags = (byte)(random.Next(8) == 0 ? random.Next(256) : random.Next(2) | (random.Next(3) > 0 ? 4 : 0));
        return random.Next(12) switch
        {
            0 or 1 or 2 or 3 => Frame(1, flags, stream, Block(random)),
            4 or 5 or 6 => Frame(0, flags, stream, random.Next(3) == 0 ? Bytes(random, 16_384) : Frames.Of(Bytes(random, 200))),
            7 => Frame(3, 0, stream, Number(random.Next(14))),
            8 => Frame(8, 0, random.Next(2) == 0 ? 0 : stream, Number(random.Next(1, 1 << random.Next(1, 31)))),
            9 => Frame(4, 0, 0, [0, (byte)random.Next(1, 7), .. Number(random.Next(1 << 17))]),
            10 => Frame(9, flags, stream, Block(random)),
            _ => Frame((byte)random.Next(256), (byte)random.Next(256), stream, Bytes(random, 100)),
        };
    }

    private static byte[] Block(Random random)
    {
        if (random.Next(6) == 0)
        {
            return Bytes(random, 60);
        }

        return
        [
            .. Field(":method", random.Next(8) == 0 ? "GET" : "POST"), .. Field(":scheme", "http"),
            .. Field(":path", s_paths[random.Next(s_paths.Length)]), .. Field("te", "trailers"),
            .. Field("content-type", "application/grpc"), .. Field("x", new string('x', random.Next(100))),
        ];
    }

    // A literal that is not indexed, or one that is (RFC 7541, 6.2): what random bytes refer to.
    private static byte[] Field(string name, string value) =>
    [
        (byte)(value.Length % 2 == 0 ? 0 : 0x40), (byte)name.Length, .. Encoding.ASCII.GetBytes(name),
        (byte)value.Length, .. Encoding.ASCII.GetBytes(value),
    ];

    private static byte[] Bytes(Random random, int most)
    {
        var bytes = new byte[random.Next(most)];
        random.NextBytes(bytes);
        return bytes;
    }

    private static byte[] Number(int value)
    {
        var bytes = new byte[sizeof(int)];
        BinaryPrimitives.WriteInt32BigEndian(bytes, value);
        return bytes;
    }

    private static byte[] Frame(byte type, byte flags, uint stream, byte[] payload)
    {
        var frame = new byte[HeaderBytes + payload.Length];
        BinaryPrimitives.WriteUInt32BigEndian(frame, (uint)payload.Length << 8);
        frame[3] = type;
        frame[4] = flags;
        BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(5), stream);
        payload.CopyTo(frame, HeaderBytes);
        return frame;
    }
}
