using Google.Protobuf;
using Grpc.Testing;
using Ingest.Server.Grpc;
using Ingest.Server.Tests.Grpc;

namespace Ingest.Server.Tests.Http2;

/// <summary>Windows both ways (RFC 9113, 5.2 and 6.9).</summary>
[Collection(Http2Servers.Collection)]
public class FlowControlTests(Http2Servers servers)
{
    private const int DefaultWindow = 65_535;
    private const int Size = 200_000;

    private static readonly GrpcServerOptions s_smallWindows =
        new() { StreamWindowBytes = DefaultWindow, ConnectionWindowBytes = 2 * DefaultWindow };

    public static TheoryData<string> All => Http2Servers.All;

    [Theory]
    [MemberData(nameof(All))]
    public async Task Not_a_byte_more_is_sent_than_the_connections_window(string server)
    {
        await using var connection = await servers.OpenAsync(server, (RawSetting.InitialWindowSize, 1_000_000));
        await connection.SendAsync(Ask(1, Size));
        var response = connection.Response(1);
        await connection.UntilAsync(() => response.Body.Count >= DefaultWindow, "the window is full");

        Assert.True(await connection.PingAsync());
        Assert.Equal(DefaultWindow, response.Body.Count);

        await connection.SendAsync(RawFrame.WindowUpdate(0, 1));
        await connection.UntilAsync(() => response.Body.Count > DefaultWindow, "another byte");
        Assert.True(await connection.PingAsync());
        Assert.Equal(DefaultWindow + 1, response.Body.Count);

        await connection.SendAsync(RawFrame.WindowUpdate(0, Size));
        await connection.EndedAsync(1, "0");
        Assert.InRange(response.Body.Count, Size, Size + 100);
        Assert.InRange(response.LargestDataFrame, 1, 16_384);
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task Not_a_byte_more_is_sent_than_the_streams_window(string server)
    {
        await using var connection = await servers.OpenAsync(server, (RawSetting.InitialWindowSize, 0));
        await connection.SendAsync(Ask(1, 100));
        var response = connection.Response(1);
        await connection.UntilAsync(() => response.Blocks == 1, "headers");
        Assert.True(await connection.PingAsync());
        Assert.Empty(response.Body);

        for (var count = 1; count <= 20; count++)
        {
            await connection.SendAsync(RawFrame.WindowUpdate(1, 1));
            await connection.UntilAsync(() => response.Body.Count >= count, "another byte");
            Assert.True(await connection.PingAsync());
            Assert.Equal(count, response.Body.Count);
        }

        await connection.SendAsync(RawFrame.WindowUpdate(1, Size));
        await connection.EndedAsync(1, "0");
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task A_status_needs_no_window(string server)
    {
        await using var connection = await servers.OpenAsync(server, (RawSetting.InitialWindowSize, 0));

        await connection.SendAsync(RawRequest.Whole(1, RawRequest.Refuse, Grpc.Frames.Of([])));

        await connection.EndedAsync(1, "9");
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task A_setting_changes_the_windows_of_running_streams(string server)
    {
        await using var connection = await servers.OpenAsync(server, (RawSetting.InitialWindowSize, 0));
        await connection.SendAsync([.. Ask(1, 100), .. Ask(3, 100)]);
        await connection.UntilAsync(
            () => connection.Response(1).Blocks == 1 && connection.Response(3).Blocks == 1, "headers");

        await connection.SendAsync(RawFrame.Settings((RawSetting.InitialWindowSize, 1000)));

        await connection.EndedAsync(1, "0");
        await connection.EndedAsync(3, "0");
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task A_window_can_be_negative(string server)
    {
        await using var connection = await servers.OpenAsync(server, (RawSetting.InitialWindowSize, 1000));
        await connection.SendAsync(Ask(1, 5000));
        var response = connection.Response(1);
        await connection.UntilAsync(() => response.Body.Count == 1000, "the window is full");

        // 1000 are used of 10: the window is -990, and then 0, and then 5.
        await connection.SendAsync(RawFrame.Settings((RawSetting.InitialWindowSize, 10)));
        await connection.SendAsync(RawFrame.WindowUpdate(1, 900), RawFrame.WindowUpdate(1, 90));
        Assert.True(await connection.PingAsync());
        Assert.Equal(1000, response.Body.Count);
        await connection.SendAsync(RawFrame.WindowUpdate(1, 5));
        await connection.UntilAsync(() => response.Body.Count > 1000, "five bytes");
        Assert.True(await connection.PingAsync());
        Assert.Equal(1005, response.Body.Count);

        await connection.SendAsync(RawFrame.Settings((RawSetting.InitialWindowSize, 100_000)));
        await connection.EndedAsync(1, "0");
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task A_larger_frame_size_of_the_client_may_be_used_and_not_exceeded(string server)
    {
        await using var connection = await servers.OpenAsync(
            server, (RawSetting.InitialWindowSize, 1_000_000), (RawSetting.MaxFrameSize, 30_000));
        await connection.SendAsync([RawFrame.WindowUpdate(0, 1_000_000), .. Ask(1, Size)]);

        var response = await connection.EndedAsync(1, "0");

        Assert.InRange(response.LargestDataFrame, 1, 30_000);
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task A_client_that_sends_more_than_a_streams_window_is_cut_off(string server)
    {
        await using var host = await Http2Servers.StartAsync(server, s_smallWindows);
        await using var connection = await RawConnection.OpenAsync(
            host.GrpcAddress, (RawSetting.InitialWindowSize, 0));
        await connection.SendAsync(
            [RawFrame.Headers(1, RawRequest.Call(RawRequest.Echo)), .. Enumerable.Repeat(Message(1, 16_000), 16)]);
        await connection.SendAsync(RawFrame.Settings((RawSetting.InitialWindowSize, DefaultWindow)));

        await connection.StreamErrorAsync(1, RawError.FlowControl);
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task A_client_that_sends_more_than_the_connections_window_is_cut_off(string server)
    {
        var options = s_smallWindows with { StreamWindowBytes = DefaultWindow };
        await using var host = await Http2Servers.StartAsync(server, options);
        await using var connection = await RawConnection.OpenAsync(
            host.GrpcAddress, (RawSetting.InitialWindowSize, 0));
        for (uint stream = 1; stream < 9 && connection.GoAway is null; stream += 2)
        {
            // Within each stream's window, and together not within the connection's.
            await connection.TrySendAsync(
                new[] { RawFrame.Headers(stream, RawRequest.Call(RawRequest.Echo)) }
                    .Concat(Enumerable.Range(0, 4).Select(_ => Message(stream, 16_000)))
                    .SelectMany(frame => frame.ToBytes()).ToArray(), Wait.Limit);
        }

        await connection.ConnectionErrorAsync(RawError.FlowControl);
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task Credit_comes_back_for_padding_as_for_data(string server)
    {
        await using var host = await Http2Servers.StartAsync(server, s_smallWindows);
        await using var connection = await RawConnection.OpenAsync(host.GrpcAddress);
        await connection.SendAsync(RawFrame.Headers(1, RawRequest.Call(RawRequest.Count)));
        long used = 0;

        // Much more than the windows, nearly all of it padding; a window that leaks comes to a halt.
        for (var i = 0; i < 2000; i++)
        {
            var frame = RawFrame.PaddedData(1, Frames.Of([]), 250, 250);
            used += frame.Payload.Length;
            await connection.UntilAsync(() =>
                used <= DefaultWindow + connection.Credit(1) && used <= DefaultWindow + connection.Credit(0), "credit");
            await connection.SendAsync(frame);
        }

        await connection.SendAsync(RawFrame.Data(1, [], end: true));
        await connection.EndedAsync(1, "0");
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task Credit_of_the_connection_comes_back_for_streams_that_nobody_reads(string server)
    {
        await using var host = await Http2Servers.StartAsync(server, s_smallWindows);
        await using var connection = await RawConnection.OpenAsync(host.GrpcAddress);
        await connection.SendAsync(RawFrame.WindowUpdate(0, 1 << 30));
        long used = 0;
        bool Fits(RawFrame frame) => used + frame.Payload.Length <= DefaultWindow + connection.Credit(0);
        for (var i = 0; i < 60; i++)
        {
            // A call that is refused at its first message, one that the client resets, and one that is unknown; what
            // comes for them afterwards is thrown away and counts.
            var stream = connection.NextStream;
            var path = (i % 3) switch { 0 => RawRequest.Refuse, 1 => RawRequest.Echo, _ => "/no.Such/Method" };
            await connection.SendAsync(RawFrame.Headers(stream, RawRequest.Call(path)));
            for (var part = 0; part < 3 && !connection.Response(stream).IsOver; part++)
            {
                var frame = Message(stream, 16_000);
                await connection.UntilAsync(() => Fits(frame) || connection.Response(stream).IsOver, "credit");
                if (Fits(frame))
                {
                    used += frame.Payload.Length;
                    await connection.SendAsync(frame);
                }
            }

            if (i % 3 == 1)
            {
                await connection.SendAsync(RawFrame.Reset(stream, RawError.Cancel));
            }
        }

        await connection.AliveAsync();
        Assert.True(used > 10 * DefaultWindow, "the window was not needed");
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task A_reader_of_single_bytes_holds_up_itself_alone(string server)
    {
        var probe = servers.Host(server).Probe;
        await using var connection = await servers.OpenAsync(server, (RawSetting.InitialWindowSize, 1));
        await connection.SendAsync(RawRequest.Whole(1, RawRequest.Flood));
        await connection.UntilAsync(() => connection.Response(1).Body.Count == 1, "a byte");
        var flooded = probe.Flooded;
        for (var i = 2; i < 200; i++)
        {
            await connection.SendAsync(RawFrame.WindowUpdate(1, 1));
            await connection.UntilAsync(() => connection.Response(1).Body.Count == i, "a byte");
        }

        Assert.InRange(probe.Flooded - flooded, 0, 20);
        await connection.SendAsync(RawFrame.Settings((RawSetting.InitialWindowSize, 1000)));
        await connection.AliveAsync();
        await connection.SendAsync(RawFrame.Reset(1, RawError.Cancel));
        await Wait.UntilAsync(() => probe.Running == 0, "the call has ended");
    }

    private static RawFrame[] Ask(uint stream, int size) => RawRequest.Whole(stream, RawRequest.Unary,
        Grpc.Frames.Of(new SimpleRequest { ResponseSize = size }));

    /// <summary>A message whose frame is of that many bytes.</summary>
    private static RawFrame Message(uint stream, int bytes) =>
        RawFrame.Data(stream, Frames.Of(new Payload { Body = ByteString.CopyFrom(new byte[bytes]) }));
}
