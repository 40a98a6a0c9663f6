using Google.Protobuf;
using Grpc.Testing;
using static Ingest.Server.Tests.Http2.RawError;

namespace Ingest.Server.Tests.Http2;

/// <summary>What looks odd and is right: it is taken or ignored, and the connection goes on.</summary>
[Collection(Http2Servers.Collection)]
public class ToleranceTests(Http2Servers servers)
{
    private const RawType Unknown = (RawType)0xF0;

    private static readonly byte[] s_call = RawRequest.Call(RawRequest.Count);
    private static readonly byte[] s_message = Grpc.Frames.Of([]);

    // Behind a call on stream 1 that runs, and a stream 3 that is over.
    private static readonly FrameCase[] s_cases =
    [
        new("an unknown frame", [new(Unknown, 0, 0, [1, 2, 3])]),
        new("an unknown frame of a running stream", [new(Unknown, 0xFF, 1, new byte[16_384])]),
        new("an unknown frame of an idle stream", [new(Unknown, 0, 101, [])]),
        new("a PING with flags that nobody knows", [RawFrame.Ping(99, 0xFE)]),
        new("a PING with the reserved bit", [RawFrame.Ping(99) with { Stream = 1u << 31 }]),
        new("an answer to a PING that nobody sent", [RawFrame.Ping(99, RawFrame.Ack)]),
        new("SETTINGS with flags that nobody knows", [RawFrame.Settings() with { Flags = 0xFE }]),
        new("unknown settings", [RawFrame.Settings(((RawSetting)0xFFFF, uint.MaxValue), (0, 1))]),
        new("settings again and again", [.. Enumerable.Repeat(RawFrame.Settings((RawSetting.EnablePush, 0)), 50)]),
        new("a setting twice", [RawFrame.Settings((RawSetting.MaxFrameSize, 20_000), (RawSetting.MaxFrameSize, 16_384))]),
        new("the largest settings",
        [
            RawFrame.Settings((RawSetting.HeaderTableSize, uint.MaxValue), (RawSetting.MaxFrameSize, 16_777_215),
                (RawSetting.MaxConcurrentStreams, uint.MaxValue), (RawSetting.InitialWindowSize, int.MaxValue),
                (RawSetting.MaxHeaderListSize, uint.MaxValue)),
        ]),
        new("PRIORITY of an idle stream", [RawFrame.Priority(101, 1)]),
        new("PRIORITY of a running stream", [RawFrame.Priority(1, 101)]),
        new("PRIORITY of a stream that is over", [RawFrame.Priority(3, 1)]),
        new("WINDOW_UPDATE with flags and the reserved bit",
            [RawFrame.WindowUpdate(1, (1u << 31) | 10) with { Flags = 0xFF }]),
        new("WINDOW_UPDATE of a stream that is over", [RawFrame.WindowUpdate(3, 10)]),
        new("RST_STREAM of a stream that is over", [RawFrame.Reset(3, Cancel)]),
        new("RST_STREAM with a code that nobody knows", [RawFrame.Reset(1, (RawError)0xFFFF)]),
        new("RST_STREAM twice", [RawFrame.Reset(1, Cancel), RawFrame.Reset(1, Cancel)]),
        new("WINDOW_UPDATE behind RST_STREAM", [RawFrame.Reset(1, Cancel), RawFrame.WindowUpdate(1, 10)]),
        new("PRIORITY behind RST_STREAM", [RawFrame.Reset(1, Cancel), RawFrame.Priority(1, 5)]),
        new("DATA of the frame size", [RawFrame.Data(1, Grpc.Frames.Of(new byte[16_384 - 5]))]),
        new("DATA of nothing", [RawFrame.Data(1, []), RawFrame.Data(1, [])]),
        new("DATA with padding", [RawFrame.PaddedData(1, s_message, 255, 255)]),
        new("DATA with padding alone", [RawFrame.PaddedData(1, [], 10, 10)]),
        new("DATA with flags that nobody knows", [RawFrame.Data(1, s_message) with { Flags = 0xF6 & ~RawFrame.Padded }]),
        new("HEADERS with padding", [new(RawType.Headers, RawFrame.EndHeaders | RawFrame.Padded, 5, [7, .. s_call, .. new byte[7]])]),
        new("HEADERS with priority",
            [new(RawType.Headers, RawFrame.EndHeaders | RawFrame.HasPriority, 5, [0x80, 0, 0, 1, 255, .. s_call])]),
        new("HEADERS with both",
        [
            new(RawType.Headers, RawFrame.EndHeaders | RawFrame.HasPriority | RawFrame.Padded, 5,
                [3, 0, 0, 0, 1, 15, .. s_call, .. new byte[3]]),
        ]),
        new("a header block in pieces of a byte, some of none",
        [
            RawFrame.OpenHeaders(5, []),
            .. s_call.Select(octet => RawFrame.Continuation(5, [octet], false)),
            RawFrame.Continuation(5, [], true),
        ]),
        new("padded HEADERS with CONTINUATION",
        [
            new(RawType.Headers, RawFrame.Padded, 5, [2, .. s_call[..20], 0, 0]),
            RawFrame.Continuation(5, s_call[20..], true),
        ]),
        new("a table size of 0, and more, before the first field",
            [RawFrame.Headers(5, [0x20, 0x3F, 0xE1, 0x1F, .. s_call])]),
        new("streams passed over", [RawFrame.Headers(2_000_001, s_call)]),
    ];

    public static TheoryData<string, string> Cases => Http2Servers.Each(s_cases.Select(frames => frames.Name));

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task What_looks_odd_and_is_right_is_taken(string server, string name)
    {
        await using var connection = await servers.OpenAsync(server);
        await connection.SendAsync([.. RawRequest.Open(1, RawRequest.Count), .. RawRequest.Whole(3, RawRequest.Empty)]);
        await connection.EndedAsync(3, "0");

        await connection.SendAsync(s_cases.Single(frames => frames.Name == name).Frames);

        await connection.AliveAsync();
    }

    [Theory]
    [MemberData(nameof(Http2Servers.All), MemberType = typeof(Http2Servers))]
    public async Task A_connection_cut_between_any_two_bytes_is_read_as_a_whole(string server)
    {
        await using var connection = await RawConnection.ConnectAsync(servers.Host(server).GrpcAddress);
        await connection.SendPrefaceAsync();
        RawFrame[] frames =
        [
            RawFrame.Settings((RawSetting.EnablePush, 0)), RawFrame.SettingsAck(), .. RawRequest.Open(1, RawRequest.Count),
            RawFrame.PaddedData(1, s_message, 3, 3), RawFrame.Headers(1, RawRequest.Block(("a", "b")), end: true),
        ];
        foreach (var octet in frames.SelectMany(frame => frame.ToBytes()))
        {
            await connection.SendAsync(new[] { octet });
        }

        var response = await connection.EndedAsync(1, "0");

        Assert.Equal(2, Counted(response));
    }

    [Theory]
    [MemberData(nameof(Http2Servers.All), MemberType = typeof(Http2Servers))]
    public async Task Trailers_end_a_request(string server)
    {
        await using var connection = await servers.OpenAsync(server);
        await connection.SendAsync(RawRequest.Open(1, RawRequest.Count));

        await connection.SendAsync(RawFrame.OpenHeaders(1, RawRequest.Block(("a", "b")), end: true),
            RawFrame.Continuation(1, RawRequest.Block(("c", "d")), last: true));

        Assert.Equal(1, Counted(await connection.EndedAsync(1, "0")));
        await connection.AliveAsync();
    }

    [Theory]
    [MemberData(nameof(Http2Servers.All), MemberType = typeof(Http2Servers))]
    public async Task Padding_is_no_part_of_a_message(string server)
    {
        await using var connection = await servers.OpenAsync(server);
        var body = Grpc.Frames.Of(new Payload { Body = ByteString.CopyFrom(1, 2, 3) });

        await connection.SendAsync(
        [
            RawFrame.Headers(1, RawRequest.Call(RawRequest.Echo)),
            .. body.Select((octet, i) => RawFrame.PaddedData(1, [octet], i, i)),
            RawFrame.PaddedData(1, [], 255, 255, end: true),
        ]);

        Assert.Equal(body, (await connection.EndedAsync(1, "0")).Body);
    }

    private static long Counted(RawResponse response) => Ingest.Testing.V1.CountResponse.Parser
        .ParseFrom(Assert.Single(Grpc.Frames.Read([.. response.Body])).Message).Count;
}
