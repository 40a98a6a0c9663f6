using Google.Protobuf;
using Grpc.Testing;
using Ingest.Protocol;
using Ingest.Testing.V1;

namespace Ingest.Server.Tests.Grpc;

/// <summary>Calls of one connection do not hold each other up, whatever one of them does to its thread.</summary>
public class IsolationTests : TransportTests
{
    private const string Block = "/ingest.testing.v1.ProbeService/Block";
    private const string Count = "/ingest.testing.v1.ProbeService/Count";
    private const string Echo = "/ingest.testing.v1.ProbeService/Echo";
    private const string Empty = "/grpc.testing.TestService/EmptyCall";

    [Fact]
    public async Task A_service_that_blocks_its_thread_holds_up_no_other_call_of_its_connection()
    {
        await using var host = await StartAsync();
        var body = new StreamedContent();
        var counted = RawCall.SendAsync(host.Client, Count, body);
        await Wait.UntilAsync(() => host.Probe.Running == 1, "the stream runs");
        var blocked = RawCall.SendAsync(host.Client, Block, Frames.Of([]));
        await Wait.UntilAsync(() => host.Probe.Running == 2, "the other call blocks");

        for (var i = 1; i <= 10; i++)
        {
            body.Write(Frames.Of([]));
            await Wait.UntilAsync(() => host.Probe.Counted == i, "the stream goes on");
            Assert.Equal(StatusCode.Ok, (await RawCall.SendAsync(host.Client, Empty, Frames.Of([]))).Status);
        }

        Assert.False(blocked.IsCompleted);
        host.Probe.Release();
        Assert.Equal(StatusCode.Ok, (await blocked).Status);
        body.Complete();
        Assert.Equal(10, (await counted).Single(CountResponse.Parser).Count);
    }

    [Fact]
    public async Task A_response_is_sent_though_its_service_then_blocks()
    {
        await using var host = await StartAsync();
        var body = new StreamedContent();
        await using var echo = await OpenCall.StartAsync(host.Client, Echo, Started(body));
        Assert.Equal(3, (await echo.ReadAsync(Payload.Parser)).Body.Length);

        // A call that blocks and one that answers come in one piece: the answer goes out at once.
        var blocked = RawCall.SendAsync(host.Client, Block, Frames.Of([]));
        body.Write(Message(4));
        Assert.Equal(4, (await echo.ReadAsync(Payload.Parser)).Body.Length);
        await Wait.UntilAsync(() => host.Probe.Running == 1, "the other call blocks");
        body.Write(Message(5));
        Assert.Equal(5, (await echo.ReadAsync(Payload.Parser)).Body.Length);

        host.Probe.Release();
        Assert.Equal(StatusCode.Ok, (await blocked).Status);
        body.Complete();
    }

    private static StreamedContent Started(StreamedContent body)
    {
        body.Write(Message(3));
        return body;
    }

    private static byte[] Message(int bytes) =>
        Frames.Of(new Payload { Body = ByteString.CopyFrom(new byte[bytes]) });
}
