using System.Text;
using Ingest.Server.Grpc;
using Ingest.Server.Tests.Grpc;
using Ingest.Server.Tests.Http2.Hpack;

namespace Ingest.Server.Tests.Http2;

/// <summary>Preface, settings, limits, and the end of connections.</summary>
[Collection(Http2Servers.Collection)]
public class ConnectionTests(Http2Servers servers)
{
    private static readonly Dictionary<string, string> s_beginnings = new()
    {
        ["HTTP/1.1"] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        ["a preface with a wrong letter"] = "PRI * HTTP/2.0\r\n\r\nXM\r\n\r\n" + new string('x', 100),
    };

    public static TheoryData<string> All => Http2Servers.All;

    public static TheoryData<string, string> Beginnings => Http2Servers.Each(s_beginnings.Keys);

    [Theory]
    [MemberData(nameof(All))]
    public async Task The_server_begins_with_its_settings(string server)
    {
        await using var connection = await servers.OpenAsync(server);
        await connection.PingAsync();
        var settings = connection.ServerSettings;
        var options = new GrpcServerOptions();

        Assert.Equal((RawType.Settings, 0), (connection.Frames[0].Type, connection.Frames[0].Flags));
        Assert.Equal((uint)options.MaxCallsPerConnection, settings[RawSetting.MaxConcurrentStreams]);
        Assert.Equal((uint)options.StreamWindowBytes, settings[RawSetting.InitialWindowSize]);
        Assert.Equal((uint)options.MaxHeaderBytes, settings[RawSetting.MaxHeaderListSize]);
        Assert.Equal(options.ConnectionWindowBytes - 65_535, connection.Credit(0));
        Assert.Equal(16_384u, settings.GetValueOrDefault(RawSetting.MaxFrameSize, 16_384u));
        Assert.Equal(4096u, settings.GetValueOrDefault(RawSetting.HeaderTableSize, 4096u));
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task A_client_need_not_wait_for_the_servers_settings(string server)
    {
        await using var connection = await RawConnection.ConnectAsync(servers.Host(server).GrpcAddress);
        await connection.SendPrefaceAsync();
        await connection.SendAsync([RawFrame.Settings(), .. RawRequest.Whole(1, RawRequest.Empty)]);

        await connection.EndedAsync(1, "0");
    }

    [Theory]
    [MemberData(nameof(Beginnings))]
    public async Task What_is_no_preface_is_not_served(string server, string beginning)
    {
        await using var connection = await RawConnection.ConnectAsync(servers.Host(server).GrpcAddress);
        await connection.SendAsync(Encoding.Latin1.GetBytes(s_beginnings[beginning]));

        Assert.True(await connection.EndsAsync());
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task A_connection_that_is_cut_off_in_its_preface_is_let_go(string server)
    {
        await using var connection = await RawConnection.ConnectAsync(servers.Host(server).GrpcAddress);
        await connection.SendAsync(Encoding.ASCII.GetBytes("PRI * HT"));
        connection.FinishSending();

        Assert.True(await connection.EndsAsync());
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task Every_SETTINGS_is_acknowledged_once(string server)
    {
        await using var connection = await servers.OpenAsync(server);

        await connection.SendAsync([.. Enumerable.Repeat(RawFrame.Settings(), 5)]);

        Assert.True(await connection.PingAsync());
        Assert.Equal(6, connection.SettingsAcks);
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task A_client_without_a_table_gets_headers_that_need_none(string server)
    {
        await using var connection = await servers.OpenAsync(server, (RawSetting.HeaderTableSize, 0));
        for (var i = 0; i < 3; i++)
        {
            // The decoder of the tests has no table either, and refuses what uses one.
            await connection.AliveAsync();
        }

        var first = connection.Frames.First(frame => frame.Type == RawType.Headers);
        Assert.Equal(0x20, first.Payload[0]);
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task One_call_too_many_is_refused_alone(string server)
    {
        await using var host = await Http2Servers.StartAsync(server, new GrpcServerOptions { MaxCallsPerConnection = 3 });
        await using var connection = await RawConnection.OpenAsync(host.GrpcAddress);
        Assert.Equal(3u, connection.ServerSettings[RawSetting.MaxConcurrentStreams]);
        var fields = RawRequest.Fields.SelectMany(field => Blocks.Indexed(field.Name, field.Value)).ToArray();
        for (uint stream = 1; stream < 7; stream += 2)
        {
            await connection.SendAsync(RawRequest.Open(stream, RawRequest.Count));
        }

        await Wait.UntilAsync(() => host.Probe.Running == 3, "three run");
        await connection.SendAsync(RawFrame.Headers(7, fields), RawFrame.Data(7, Frames.Of([]), end: true));

        await connection.UntilAsync(() => connection.Response(7).IsOver, "a refusal");
        Assert.Equal(RawError.RefusedStream, connection.Response(7).ResetBy);

        // What came of the refused one's headers is in the table.
        await connection.SendAsync(RawFrame.Data(1, [], end: true));
        await connection.EndedAsync(1, "0");
        await connection.SendAsync(
            RawFrame.Headers(9, [0xC3, 0xC2, 0xC1, 0xC0, 0xBF, 0xBE]), RawFrame.Data(9, Frames.Of([]), end: true));
        await connection.EndedAsync(9, "0");
        Assert.Equal(2, host.Probe.Running);
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task A_call_refused_early_is_told_so_and_what_it_still_sends_is_taken(string server)
    {
        await using var connection = await servers.OpenAsync(server);
        await connection.SendAsync(RawRequest.Open(1, RawRequest.Refuse));
        await connection.UntilAsync(() => connection.Response(1).ResetBy is not null, "a reset");
        Assert.Equal((RawError.NoError, true, "9"),
            (connection.Response(1).ResetBy, connection.Response(1).Ended, connection.Response(1)["grpc-status"]));

        // On its way when the reset was: data, and trailers that index a field.
        await connection.SendAsync(RawFrame.Data(1, Frames.Of([])),
            RawFrame.Headers(1, Blocks.Indexed("te", "trailers"), end: true),
            RawFrame.Headers(3, [.. RawRequest.Block(RawRequest.Fields.Where(field => field.Name != "te")), 0xBE]),
            RawFrame.Data(3, Frames.Of([]), end: true));

        await connection.EndedAsync(3, "0");
    }

    // Kestrel keeps such a call until the client reads.
    [Fact]
    public async Task A_call_that_is_given_up_on_a_client_that_does_not_read_is_reset()
    {
        await using var connection = await servers.OpenAsync(Http2Servers.Own, (RawSetting.InitialWindowSize, 0));

        await connection.SendAsync(RawFrame.Headers(1, RawRequest.Call(RawRequest.Flood, ("grpc-timeout", "50m"))),
            RawFrame.Data(1, Frames.Of([]), end: true));

        // Nothing else is going on that could take the frame along.
        await connection.UntilAsync(() => connection.Response(1).IsOver, "a reset");
        Assert.NotNull(connection.Response(1).ResetBy);
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task A_client_that_goes_away_gets_what_it_asked_for(string server)
    {
        await using var connection = await servers.OpenAsync(server);
        await connection.SendAsync(RawRequest.Open(1, RawRequest.Count));

        await connection.SendAsync(RawFrame.GoAway(0, RawError.NoError, [1, 2, 3]), RawFrame.Data(1, [], end: true));

        await connection.EndedAsync(1, "0");
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task Calls_of_a_client_that_is_gone_are_cancelled(string server)
    {
        var probe = servers.Host(server).Probe;
        foreach (var abort in new[] { false, true })
        {
            var cancelled = probe.Cancelled;
            await using var connection = await servers.OpenAsync(server);
            await connection.SendAsync(
            [
                .. RawRequest.Open(1, RawRequest.Count), .. RawRequest.Whole(3, RawRequest.Hang),
                .. RawRequest.Whole(5, RawRequest.Flood),
            ]);
            await Wait.UntilAsync(() => probe.Running == 3, "all run");

            if (abort)
            {
                connection.Abort();
            }
            else
            {
                connection.FinishSending();
            }

            await Wait.UntilAsync(() => probe.Running == 0, "all have ended");
            Assert.Equal(cancelled + 3, probe.Cancelled);
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task A_server_that_stops_lets_calls_end_and_says_goodbye(string server)
    {
        await using var host = await Http2Servers.StartAsync(server, new GrpcServerOptions());
        await using var connection = await RawConnection.OpenAsync(host.GrpcAddress);
        await connection.SendAsync(RawRequest.Open(1, RawRequest.Count));
        await Wait.UntilAsync(() => host.Probe.Running == 1, "the call runs");

        var stopping = host.StopAsync();
        await Wait.UntilAsync(() => host.Drain.Started.IsCancellationRequested, "the drain has begun");
        await connection.SendAsync(RawFrame.Data(1, [], end: true));

        await connection.EndedAsync(1, "0");
        await connection.ConnectionErrorAsync(RawError.NoError);
        await stopping.WaitAsync(Wait.Limit);
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task Other_verbs_and_unknown_paths_are_answered(string server)
    {
        await using var connection = await servers.OpenAsync(server);
        foreach (var (verb, path) in new[] { ("GET", "/"), ("HEAD", "/"), ("GET", RawRequest.Empty), ("PUT", "/a?b=c") })
        {
            var stream = connection.NextStream;
            await connection.SendAsync(RawFrame.Headers(stream, RawRequest.Block(
                [(":method", verb), (":scheme", "http"), (":path", path), (":authority", "localhost")]), end: true));

            var response = connection.Response(stream);
            await connection.UntilAsync(() => response.IsOver, "an answer");
            Assert.True(response.Ended);
            Assert.StartsWith("4", response[":status"]!, StringComparison.Ordinal);
        }

        await connection.AliveAsync();
    }
}
