using Ingest.Server.Grpc;
using static Ingest.Server.Tests.Http2.RawError;

namespace Ingest.Server.Tests.Http2;

/// <summary>Frames after which a connection is of no use: GOAWAY with the RFC's code, and its end.</summary>
[Collection(Http2Servers.Collection)]
public class ConnectionErrorTests(Http2Servers servers)
{
    private const int MaxFrame = 16_384;
    private const uint MaxWindow = int.MaxValue;

    private static readonly byte[] s_call = RawRequest.Call(RawRequest.Count);
    private static readonly byte[] s_message = Grpc.Frames.Of([]);

    private static readonly FrameCase[] s_cases =
    [
        new("DATA of stream 0", [RawFrame.Data(0, s_message)], ProtocolError),
        new("HEADERS of stream 0", [RawFrame.Headers(0, s_call)], ProtocolError),
        new("PRIORITY of stream 0", [RawFrame.Priority(0, 1)], ProtocolError),
        new("RST_STREAM of stream 0", [RawFrame.Reset(0, Cancel)], ProtocolError),
        new("CONTINUATION of stream 0", [RawFrame.Continuation(0, s_call, true)], ProtocolError),
        new("SETTINGS of a stream", [RawFrame.Settings() with { Stream = 1 }], ProtocolError),
        new("PING of a stream", [RawFrame.Ping(1) with { Stream = 1 }], ProtocolError),
        new("GOAWAY of a stream", [RawFrame.GoAway(0, NoError) with { Stream = 1 }], ProtocolError),
        new("PUSH_PROMISE", [new(RawType.PushPromise, RawFrame.EndHeaders, 1, [0, 0, 0, 2, .. s_call])], ProtocolError),

        new("DATA of an idle stream", [RawFrame.Data(1, s_message)], ProtocolError),
        new("RST_STREAM of an idle stream", [RawFrame.Reset(1, Cancel)], ProtocolError),
        new("WINDOW_UPDATE of an idle stream", [RawFrame.WindowUpdate(1, 100)], ProtocolError),
        new("CONTINUATION of an idle stream", [RawFrame.Continuation(1, s_call, true)], ProtocolError),
        new("HEADERS of an even stream", [RawFrame.Headers(2, s_call)], ProtocolError),
        new("HEADERS of a stream that was passed over",
            [RawFrame.Headers(5, s_call), RawFrame.Headers(3, s_call)], ProtocolError, StreamClosed),
        new("DATA of a stream that was passed over",
            [RawFrame.Headers(5, s_call), RawFrame.Data(3, s_message)], ProtocolError, StreamClosed),

        new("SETTINGS of five bytes", [new(RawType.Settings, 0, 0, new byte[5])], FrameSize),
        new("SETTINGS of seven bytes", [new(RawType.Settings, 0, 0, new byte[7])], FrameSize),
        new("SETTINGS acknowledged with settings",
            [RawFrame.Settings((RawSetting.MaxFrameSize, MaxFrame)) with { Flags = RawFrame.Ack }], FrameSize),
        new("PING of seven bytes", [new(RawType.Ping, 0, 0, new byte[7])], FrameSize),
        new("PING of nine bytes", [new(RawType.Ping, 0, 0, new byte[9])], FrameSize),
        new("GOAWAY of seven bytes", [new(RawType.GoAway, 0, 0, new byte[7])], FrameSize),
        new("WINDOW_UPDATE of three bytes", [new(RawType.WindowUpdate, 0, 0, new byte[3])], FrameSize),
        new("WINDOW_UPDATE of five bytes", [new(RawType.WindowUpdate, 0, 0, new byte[5])], FrameSize),
        new("WINDOW_UPDATE of three bytes for a stream",
            [RawFrame.Headers(1, s_call), new(RawType.WindowUpdate, 0, 1, new byte[3])], FrameSize),
        new("RST_STREAM of three bytes",
            [RawFrame.Headers(1, s_call), new(RawType.Reset, 0, 1, new byte[3])], FrameSize),
        new("RST_STREAM of five bytes",
            [RawFrame.Headers(1, s_call), new(RawType.Reset, 0, 1, new byte[5])], FrameSize),
        new("HEADERS above the frame size", [RawFrame.OpenHeaders(1, new byte[MaxFrame + 1])], FrameSize),
        new("CONTINUATION above the frame size",
            [RawFrame.OpenHeaders(1, s_call), RawFrame.Continuation(1, new byte[MaxFrame + 1], true)], FrameSize),
        new("SETTINGS above the frame size", [new(RawType.Settings, 0, 0, new byte[16_386])], FrameSize),
        new("an unknown frame above the frame size", [new((RawType)0xF0, 0, 0, new byte[MaxFrame + 1])], FrameSize),

        new("ENABLE_PUSH of 2", [RawFrame.Settings((RawSetting.EnablePush, 2))], ProtocolError),
        new("INITIAL_WINDOW_SIZE of 2^31",
            [RawFrame.Settings((RawSetting.InitialWindowSize, MaxWindow + 1))], FlowControl),
        new("MAX_FRAME_SIZE below 2^14", [RawFrame.Settings((RawSetting.MaxFrameSize, MaxFrame - 1))], ProtocolError),
        new("MAX_FRAME_SIZE of 2^24", [RawFrame.Settings((RawSetting.MaxFrameSize, 1 << 24))], ProtocolError),
        new("a wrong setting behind right ones",
            [RawFrame.Settings((RawSetting.MaxFrameSize, MaxFrame), (RawSetting.EnablePush, 3))], ProtocolError),

        new("WINDOW_UPDATE of 0 for the connection", [RawFrame.WindowUpdate(0, 0)], ProtocolError),
        new("WINDOW_UPDATE beyond 2^31 - 1 for the connection", [RawFrame.WindowUpdate(0, MaxWindow)], FlowControl),
        new("WINDOW_UPDATEs that together are beyond it", [.. Enumerable.Repeat(RawFrame.WindowUpdate(0, 1 << 30), 2)],
            FlowControl),
        new("INITIAL_WINDOW_SIZE that lifts a stream's window beyond it",
            [
                RawFrame.Headers(1, s_call), RawFrame.WindowUpdate(1, MaxWindow - 65_535),
                RawFrame.Settings((RawSetting.InitialWindowSize, 65_536)),
            ], FlowControl),

        new("DATA with more padding than payload",
            [RawFrame.Headers(1, s_call), RawFrame.PaddedData(1, s_message, 0, s_message.Length + 1)], ProtocolError),
        new("DATA without the length of its padding",
            [RawFrame.Headers(1, s_call), new(RawType.Data, RawFrame.Padded, 1, [])], ProtocolError, FrameSize),
        new("HEADERS with more padding than payload",
            [new(RawType.Headers, RawFrame.EndHeaders | RawFrame.Padded, 1, [255, .. s_call])], ProtocolError),
        new("HEADERS without the length of their padding",
            [new(RawType.Headers, RawFrame.EndHeaders | RawFrame.Padded, 1, [])], ProtocolError, FrameSize),
        new("HEADERS with half a priority",
            [new(RawType.Headers, RawFrame.EndHeaders | RawFrame.HasPriority, 1, [0, 0, 0])], ProtocolError, FrameSize),
        new("HEADERS with padding that reaches into the priority",
            [new(RawType.Headers, RawFrame.EndHeaders | RawFrame.HasPriority | RawFrame.Padded, 1,
                [3, 0, 0, 0, 0, 15, 0, 0])], ProtocolError, FrameSize) { Kestrel = Internal },

        new("DATA within a header block", [RawFrame.OpenHeaders(1, s_call), RawFrame.Data(1, s_message)], ProtocolError),
        new("PING within a header block", [RawFrame.OpenHeaders(1, s_call), RawFrame.Ping(1)], ProtocolError),
        new("SETTINGS within a header block", [RawFrame.OpenHeaders(1, s_call), RawFrame.Settings()], ProtocolError),
        new("PRIORITY within a header block", [RawFrame.OpenHeaders(1, s_call), RawFrame.Priority(1, 3)], ProtocolError),
        new("RST_STREAM within a header block", [RawFrame.OpenHeaders(1, s_call), RawFrame.Reset(1, Cancel)], ProtocolError),
        new("an unknown frame within a header block",
            [RawFrame.OpenHeaders(1, s_call), new((RawType)0xF0, 0, 0, [])], ProtocolError),
        new("HEADERS within a header block",
            [RawFrame.OpenHeaders(1, s_call), RawFrame.Headers(1, s_call)], ProtocolError),
        new("HEADERS of another stream within a header block",
            [RawFrame.OpenHeaders(1, s_call), RawFrame.Headers(3, s_call)], ProtocolError),
        new("CONTINUATION of another stream",
            [RawFrame.OpenHeaders(1, s_call), RawFrame.Continuation(3, s_call, true)], ProtocolError),
        new("CONTINUATION behind a header block",
            [RawFrame.Headers(1, s_call), RawFrame.Continuation(1, s_call, true)], ProtocolError),
        new("CONTINUATION behind the last CONTINUATION",
            [
                RawFrame.OpenHeaders(1, s_call), RawFrame.Continuation(1, [], true),
                RawFrame.Continuation(1, [], true),
            ], ProtocolError),

        new("the index 0", [RawFrame.Headers(1, [.. s_call, 0x80])], Compression) { Kestrel = Internal },
        new("an index that is in no table", [RawFrame.Headers(1, [.. s_call, 0xC6])], Compression),
        new("a name that is in no table", [RawFrame.Headers(1, [.. s_call, 0x7F, 0x20, 1, 97])], Compression),
        new("a block that ends within a field", [RawFrame.Headers(1, [.. s_call, 0x00, 5, 97])], Compression),
        new("an endless integer", [RawFrame.Headers(1, [.. s_call, 0xFF, .. Enumerable.Repeat((byte)0xFF, 20)])],
            Compression),
        new("a table size above our setting", [RawFrame.Headers(1, [0x3F, 0xE2, 0x1F, .. s_call])], Compression),
        new("a table size behind a field", [RawFrame.Headers(1, [.. s_call, 0x20])], Compression),
        new("EOS within a string", [RawFrame.Headers(1, [.. s_call, 0, 1, 97, 0x84, 255, 255, 255, 255])],
            Compression),
        new("padding of zeros", [RawFrame.Headers(1, [.. s_call, 0, 1, 97, 0x81, 0x18])], Compression),
        new("padding of more than seven bits", [RawFrame.Headers(1, [.. s_call, 0, 1, 97, 0x82, 0x1F, 0xFF])],
            Compression),
        new("a broken block of trailers", [RawFrame.Headers(1, s_call), RawFrame.Headers(1, [0xC6], true)],
            Compression),
    ];

    public static TheoryData<string, string> Cases => Http2Servers.Each(s_cases.Select(frames => frames.Name));

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task A_connection_error_is_answered_with_its_code_and_the_end(string server, string name)
    {
        var frames = s_cases.Single(frames => frames.Name == name);
        await using var connection = await servers.OpenAsync(server);

        await connection.SendAsync(frames.Frames);

        await connection.ConnectionErrorAsync(frames.ErrorsOf(server));
    }

    // The call has the thread that found the error.
    [Theory]
    [MemberData(nameof(Http2Servers.All), MemberType = typeof(Http2Servers))]
    public async Task An_error_right_behind_a_call_that_blocks_its_thread_ends_the_connection(string server)
    {
        await using var host = await Http2Servers.StartAsync(server, new GrpcServerOptions());
        await using var connection = await RawConnection.OpenAsync(host.GrpcAddress);

        await connection.SendAsync([.. RawRequest.Whole(1, RawRequest.BlockThread), RawFrame.Data(0, s_message)]);

        await connection.UntilAsync(() => connection.GoAway is not null, "the error is told");
        host.Probe.Release();
        await connection.ConnectionErrorAsync(ProtocolError);
    }

    [Theory]
    [MemberData(nameof(Http2Servers.All), MemberType = typeof(Http2Servers))]
    public async Task Calls_of_a_connection_that_ends_by_an_error_are_cancelled(string server)
    {
        var probe = servers.Host(server).Probe;
        var cancelled = probe.Cancelled;
        await using var connection = await servers.OpenAsync(server);
        await connection.SendAsync([.. RawRequest.Open(1, RawRequest.Count), .. RawRequest.Whole(3, RawRequest.Hang)]);
        await Grpc.Wait.UntilAsync(() => probe.Running == 2, "both run");

        await connection.SendAsync(RawFrame.Ping(1) with { Stream = 1 });

        await connection.ConnectionErrorAsync(ProtocolError);
        Assert.Equal(3u, connection.GoAway!.Value.LastStream);
        await Grpc.Wait.UntilAsync(() => probe.Running == 0 && probe.Cancelled == cancelled + 2, "both are cancelled");
    }
}
