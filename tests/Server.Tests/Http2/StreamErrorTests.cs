using static Ingest.Server.Tests.Http2.RawError;

namespace Ingest.Server.Tests.Http2;

/// <summary>Frames that are one stream's fault: RST_STREAM, or the connection's end with the same code.</summary>
[Collection(Http2Servers.Collection)]
public class StreamErrorTests(Http2Servers servers)
{
    private const uint MaxWindow = int.MaxValue;

    private static readonly byte[] s_message = Grpc.Frames.Of([]);
    private static readonly RawFrame s_trailers = RawFrame.Headers(1, RawRequest.Block(("a", "b")), end: true);

    // Behind a call on stream 1 that runs and whose request is not over.
    private static readonly FrameCase[] s_open =
    [
        new("WINDOW_UPDATE of 0", [RawFrame.WindowUpdate(1, 0)], ProtocolError),
        new("WINDOW_UPDATE beyond 2^31 - 1", [RawFrame.WindowUpdate(1, MaxWindow)], FlowControl),
        new("PRIORITY of four bytes", [new(RawType.Priority, 0, 1, new byte[4])], FrameSize),
        new("DATA above the frame size", [RawFrame.Data(1, new byte[16_385])], FrameSize),
        new("a second header block that does not end the stream",
            [RawFrame.Headers(1, RawRequest.Block(("a", "b")))], ProtocolError),
        new("a pseudo-header in the trailers",
            [RawFrame.Headers(1, RawRequest.Block((":path", "/")), end: true)], ProtocolError),
        new("a name in upper case in the trailers",
            [RawFrame.Headers(1, RawRequest.Block(("A", "b")), end: true)], ProtocolError),
    ];

    // Behind a call on stream 1 that runs and whose request is over.
    private static readonly FrameCase[] s_halfClosed =
    [
        new("DATA", [RawFrame.Data(1, s_message)], StreamClosed),
        new("DATA that ends the stream again", [RawFrame.Data(1, [], end: true)], StreamClosed),
        new("HEADERS", [RawFrame.Headers(1, RawRequest.Call(RawRequest.Hang), end: true)], StreamClosed),
        new("trailers", [s_trailers], StreamClosed),
    ];

    // Behind a call on stream 1 that the client has reset.
    private static readonly FrameCase[] s_reset =
    [
        new("DATA", [RawFrame.Data(1, s_message)], StreamClosed),
        new("HEADERS", [RawFrame.Headers(1, RawRequest.Call(RawRequest.Hang), end: true)], StreamClosed, ProtocolError),
        new("trailers", [s_trailers], StreamClosed, ProtocolError),
    ];

    // Behind a call on stream 1 that is over on both sides.
    private static readonly FrameCase[] s_closed =
    [
        new("DATA", [RawFrame.Data(1, s_message)], StreamClosed),
        new("HEADERS", [RawFrame.Headers(1, RawRequest.Call(RawRequest.Hang), end: true)], StreamClosed, ProtocolError),
        new("CONTINUATION", [RawFrame.Continuation(1, [], true)], ProtocolError, StreamClosed),
    ];

    public static TheoryData<string, string> Open => Http2Servers.Each(s_open.Select(frames => frames.Name));

    public static TheoryData<string, string> HalfClosed =>
        Http2Servers.Each(s_halfClosed.Select(frames => frames.Name));

    public static TheoryData<string, string> Reset => Http2Servers.Each(s_reset.Select(frames => frames.Name));

    public static TheoryData<string, string> Closed => Http2Servers.Each(s_closed.Select(frames => frames.Name));

    [Theory]
    [MemberData(nameof(Open))]
    public async Task A_fault_of_an_open_stream_ends_it(string server, string name)
    {
        await using var connection = await servers.OpenAsync(server);
        await connection.SendAsync(RawRequest.Open(1, RawRequest.Count));

        await CheckAsync(connection, s_open, name);

        await Grpc.Wait.UntilAsync(() => servers.Host(server).Probe.Running == 0, "the call has ended");
    }

    [Theory]
    [MemberData(nameof(HalfClosed))]
    public async Task A_request_that_is_over_does_not_go_on(string server, string name)
    {
        await using var connection = await servers.OpenAsync(server);
        await connection.SendAsync(RawRequest.Whole(1, RawRequest.Hang));

        await CheckAsync(connection, s_halfClosed, name);

        await Grpc.Wait.UntilAsync(() => servers.Host(server).Probe.Running == 0, "the call has ended");
    }

    [Theory]
    [MemberData(nameof(Reset))]
    public async Task A_stream_that_the_client_reset_does_not_go_on(string server, string name)
    {
        await using var connection = await servers.OpenAsync(server);
        await connection.SendAsync([.. RawRequest.Open(1, RawRequest.Count), RawFrame.Reset(1, Cancel)]);

        await CheckAsync(connection, s_reset, name);
    }

    [Theory]
    [MemberData(nameof(Closed))]
    public async Task A_stream_that_is_over_does_not_go_on(string server, string name)
    {
        await using var connection = await servers.OpenAsync(server);
        await connection.SendAsync(RawRequest.Whole(1, RawRequest.Empty));
        await connection.EndedAsync(1, "0");

        await CheckAsync(connection, s_closed, name);
    }

    private static async Task CheckAsync(RawConnection connection, FrameCase[] cases, string name)
    {
        var frames = cases.Single(frames => frames.Name == name);
        await connection.SendAsync(frames.Frames);
        await connection.StreamErrorAsync(1, frames.Errors);
    }
}
