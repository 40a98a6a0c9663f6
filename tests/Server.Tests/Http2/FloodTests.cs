using Ingest.Server.Grpc;
using Ingest.Server.Tests.Grpc;
using Ingest.Server.Tests.Http2.Hpack;

namespace Ingest.Server.Tests.Http2;

/// <summary>
/// Clients that send what is cheap to send and not to take: CVE-2019-9511 to 9518, CVE-2023-44487, CVE-2024-27316,
/// CVE-2025-8671. What they do may end their connection. It may not take memory without bound, nor others' service.
/// </summary>
[Collection(Http2AloneCollection.Name)]
public class FloodTests
{
    private const int MaxCalls = 100;

    // Sockets hold a few MB on each side; a server that takes this much and is not read holds the rest.
    private const int MaxTakenBytes = 64 << 20;

    // A server that takes nothing for so long waits for the client to read.
    private static readonly TimeSpan s_patience = TimeSpan.FromMilliseconds(500);

    private static readonly GrpcServerOptions s_options = new() { MaxCallsPerConnection = MaxCalls };

    // A client that never reads what it makes the server answer.
    private static readonly Dictionary<string, Func<int, IEnumerable<RawFrame>>> s_answered = new()
    {
        ["PING"] = _ => [RawFrame.Ping(1)],
        ["SETTINGS"] = _ => [RawFrame.Settings((RawSetting.InitialWindowSize, 65_535))],
        ["calls that are reset"] = i =>
            [RawFrame.Headers(Stream(i), RawRequest.Call(RawRequest.Count)), RawFrame.Reset(Stream(i), RawError.Cancel)],
        ["calls of no method"] = i => RawRequest.Whole(Stream(i), "/no.Such/Method"),
        ["calls of no method and no body"] = i =>
            [RawFrame.Headers(Stream(i), RawRequest.Call("/no.Such/Method"), end: true)],
        ["malformed calls"] = i => [RawFrame.Headers(Stream(i), Blocks.Literal("X", ""), end: true)],
        ["calls above the limit"] = i => [RawFrame.Headers(Stream(i), RawRequest.Call(RawRequest.Count))],
        ["broken windows"] = i =>
            [RawFrame.Headers(Stream(i), RawRequest.Call(RawRequest.Count)), RawFrame.WindowUpdate(Stream(i), 0)],
    };

    // Much of what needs no answer.
    private static readonly Dictionary<string, Func<int, IEnumerable<RawFrame>>> s_silent = new()
    {
        ["DATA of nothing"] = _ => [RawFrame.Data(1, [])],
        ["padding"] = _ => [RawFrame.PaddedData(1, [], 0, 0)],
        ["PRIORITY"] = i => [RawFrame.Priority(Stream(i % 1000), 1001)],
        ["WINDOW_UPDATE"] = _ => [RawFrame.WindowUpdate(1, 1), RawFrame.WindowUpdate(0, 1)],
        ["unknown frames"] = _ => [new((RawType)0xF0, 0, 0, [])],
        ["answers to pings"] = _ => [RawFrame.Ping(1, RawFrame.Ack)],
    };

    public static TheoryData<string, string> Answered => Http2Servers.Each(s_answered.Keys);

    public static TheoryData<string, string> Silent => Http2Servers.Each(s_silent.Keys);

    public static TheoryData<string> All => Http2Servers.All;

    [Theory]
    [MemberData(nameof(Answered))]
    public async Task A_client_that_does_not_read_its_answers_is_cut_off_or_not_read(string server, string name)
    {
        await using var host = await Http2Servers.StartAsync(server, s_options);
        await using var connection = await RawConnection.OpenAsync(host.GrpcAddress);
        var (sent, mostRunning) = (0, 0);

        for (var i = 0; sent < MaxTakenBytes; i += 1000)
        {
            var part = Bytes(s_answered[name], i, 1000);
            if (!await connection.TrySendAsync(part, s_patience))
            {
                break;
            }

            sent += part.Length;
            mostRunning = Math.Max(mostRunning, host.Probe.Running);
        }

        Assert.InRange(sent, 0, MaxTakenBytes - 1);
        Assert.InRange(mostRunning, 0, 3 * MaxCalls);
        await OthersAreServedAsync(host);
        connection.Abort();
        await Wait.UntilAsync(() => host.Probe.Running == 0, "the calls have ended");
    }

    [Theory]
    [MemberData(nameof(Silent))]
    public async Task A_flood_of_frames_that_ask_for_nothing_ends_or_is_borne(string server, string name)
    {
        await using var host = await Http2Servers.StartAsync(server, s_options);
        await using var connection = await RawConnection.OpenAsync(host.GrpcAddress);
        await connection.SendAsync(RawRequest.Open(1, RawRequest.Count));

        for (var i = 0; i < 100_000; i += 1000)
        {
            if (!await connection.TrySendAsync(Bytes(s_silent[name], i, 1000), Wait.Limit))
            {
                break;
            }
        }

        await OthersAreServedAsync(host);
        if (await connection.PingAsync())
        {
            await connection.AliveAsync();
        }
        else if (connection.GoAway is { } end)
        {
            Assert.Equal(RawError.EnhanceYourCalm, end.Error);
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task A_header_block_that_does_not_end_ends_the_connection(string server)
    {
        await using var host = await Http2Servers.StartAsync(server, s_options);
        await using var connection = await RawConnection.OpenAsync(host.GrpcAddress);
        await connection.SendAsync(RawFrame.OpenHeaders(1, RawRequest.Call(RawRequest.Empty)));
        var part = RawFrame.Continuation(1, Blocks.Literal("x", new string('v', 16_000)), false).ToBytes();
        var sent = 0;
        while (sent < MaxTakenBytes && await connection.TrySendAsync(part, s_patience))
        {
            sent += part.Length;
        }

        Assert.InRange(sent, 0, MaxTakenBytes - 1);
        await OthersAreServedAsync(host);
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task Calls_that_come_and_go_at_once_are_few_at_any_time(string server)
    {
        await using var host = await Http2Servers.StartAsync(server, s_options);
        await using var connection = await RawConnection.OpenAsync(host.GrpcAddress);
        var mostRunning = 0;
        for (var i = 0; i < 20_000; i += 100)
        {
            var part = Bytes(s_answered["calls that are reset"], i, 100);
            if (!await connection.TrySendAsync(part, Wait.Limit))
            {
                break;
            }

            mostRunning = Math.Max(mostRunning, host.Probe.Running);
        }

        Assert.InRange(mostRunning, 0, 3 * MaxCalls);
        await OthersAreServedAsync(host);
        if (!await connection.PingAsync() && connection.GoAway is { } end)
        {
            Assert.Equal(RawError.EnhanceYourCalm, end.Error);
        }

        await Wait.UntilAsync(() => host.Probe.Running == 0, "the calls have ended");
    }

    // Of ours alone: Kestrel's writers hear of a client that is gone by a work item of the pool, and those that write
    // meanwhile, fifty here, can keep it from running for longer than a test waits.
    [Fact]
    public async Task A_client_with_huge_windows_that_does_not_read_holds_little()
    {
        await using var host = await Http2Servers.StartAsync(Http2Servers.Own, s_options);
        await using var connection = await RawConnection.OpenAsync(
            host.GrpcAddress, (RawSetting.InitialWindowSize, int.MaxValue));
        await connection.SendAsync(RawFrame.WindowUpdate(0, int.MaxValue - 65_535));
        for (var i = 0; i < 50; i++)
        {
            await connection.SendAsync(RawRequest.Whole(Stream(i), RawRequest.Flood));
        }

        await Wait.UntilAsync(() => host.Probe.Running == 50 && host.Probe.Flooded >= 50, "all run");
        long flooded;
        do
        {
            flooded = host.Probe.Flooded;
            await OthersAreServedAsync(host);
        }
        while (host.Probe.Flooded != flooded);

        // Payloads of 16 KiB: what the sockets hold, and one or a few a call.
        Assert.InRange(flooded, 50, MaxTakenBytes / 16_384);
        connection.Abort();
        await Wait.UntilAsync(() => host.Probe.Running == 0, "the calls have ended");
    }

    private static uint Stream(int number) => (uint)((2 * number) + 1);

    private static byte[] Bytes(Func<int, IEnumerable<RawFrame>> frames, int first, int count) =>
        [.. Enumerable.Range(first, count).SelectMany(frames).SelectMany(frame => frame.ToBytes())];

    private static async Task OthersAreServedAsync(TestHost host)
    {
        await using var other = await RawConnection.OpenAsync(host.GrpcAddress);
        await other.AliveAsync();
    }
}
