using Google.Protobuf;
using Grpc.Testing;
using Ingest.Protocol;
using Ingest.Server.Grpc;
using Ingest.Server.Tests.Grpc;
using Ingest.Testing.V1;
using Xunit.Abstractions;

namespace Ingest.Server.Tests.Http2;

/// <summary>
/// .NET's client with many connections and calls of all kinds, some given up at any moment: what is answered is right, all
/// ends, and nothing stays behind. INGEST_CHAOS=long does more of it.
/// </summary>
[Collection(Http2AloneCollection.Name)]
public sealed class ClientStressTests(ITestOutputHelper output)
{
    private const int Connections = 200;
    private const int CallsAtATime = 4;

    // The last of a thread's stack, of a queue, of a timer.
    private const int MostKept = 50;

    private static readonly bool s_isLong = Environment.GetEnvironmentVariable("INGEST_CHAOS") == "long";

    private static readonly int s_callsEach = s_isLong ? 800 : 16;

    // Kestrel has its own tests; here it is to compare with.
    public static TheoryData<string> All => s_isLong ? Http2Servers.All : [Http2Servers.Own];

    [Theory]
    [MemberData(nameof(All))]
    public async Task Calls_of_all_kinds_on_many_connections_are_right_and_leave_nothing(string server)
    {
        await using var host = await Http2Servers.StartAsync(server, new GrpcServerOptions());
        var tally = new Tally();

        await RoundAsync(host, tally);

        output.WriteLine($"{tally.Answered} answered, {tally.GivenUp} given up");
        Assert.True(tally is { Answered: > Connections, GivenUp: > Connections }, "it shows nothing");
        await Wait.UntilAsync(() => host.Probe.Running == 0, "all calls have ended");

        // Kestrel keeps contexts for the next streams of a connection; ours lets them go.
        if (server == Http2Servers.Own)
        {
            await Wait.UntilAsync(() => Kept(host) <= MostKept, "requests are let go");
        }
    }

    private static async Task RoundAsync(TestHost host, Tally tally)
    {
        var clients = Enumerable.Range(0, Connections).Select(_ => new HttpClient(
            new SocketsHttpHandler { EnableMultipleHttp2Connections = false }) { BaseAddress = host.GrpcAddress }).ToArray();
        try
        {
            var seed = Random.Shared.Next();
            await Task.WhenAll(clients.SelectMany((client, i) => Enumerable.Range(0, CallsAtATime).Select(
                j => CallAsync(client, new Random(seed + (i * CallsAtATime) + j), s_callsEach / CallsAtATime, tally))))
                .WaitAsync(s_callsEach * Wait.Limit);
        }
        finally
        {
            Array.ForEach(clients, client => client.Dispose());
        }
    }

    private static async Task CallAsync(HttpClient client, Random random, int count, Tally tally)
    {
        for (var i = 0; i < count; i++)
        {
            using var given = new CancellationTokenSource();
            if (random.Next(3) == 0)
            {
                given.CancelAfter(random.Next(20));
            }

            try
            {
                await (random.Next(5) switch
                {
                    0 => UnaryAsync(client, random, given.Token),
                    1 => EchoAsync(client, random, given.Token),
                    2 => CountAsync(client, random, given.Token),
                    3 => ReadSomeAsync(client, random, given.Token),
                    _ => RefuseAsync(client, random, given.Token),
                });
                tally.Answer();
            }
            catch (Exception e) when (given.IsCancellationRequested
                && e is OperationCanceledException or HttpRequestException or IOException)
            {
                tally.GiveUp();
            }
        }
    }

    private static async Task UnaryAsync(HttpClient client, Random random, CancellationToken given)
    {
        var size = Size(random);
        using var http = await SendAsync(client, RawRequest.Unary,
            RawCall.Bytes(Frames.Of(new SimpleRequest { ResponseSize = size })), given);
        var call = new RawCall(http, await http.Content.ReadAsByteArrayAsync(given));
        Assert.Equal(StatusCode.Ok, call.Status);
        Assert.Equal(size, call.Single(SimpleResponse.Parser).Payload?.Body.Length ?? 0);
    }

    // Messages go out while their echoes are read; each comes back as it was and in order.
    private static async Task EchoAsync(HttpClient client, Random random, CancellationToken given)
    {
        var messages = Enumerable.Range(0, random.Next(1, 8)).Select(_ => Body(random, Size(random))).ToList();
        var body = new StreamedContent();
        body.Write(Frames.Of(messages[0]));
        using var http = await SendAsync(client, RawRequest.Echo, body, given);
        await using var stream = await http.Content.ReadAsStreamAsync(given);
        for (var i = 0; i < messages.Count; i++)
        {
            var echo = new byte[MessageFrame.HeaderBytes + messages[i].CalculateSize()];
            await stream.ReadExactlyAsync(echo, given);
            Assert.Equal(Frames.Of(messages[i]), echo);
            if (i + 1 < messages.Count)
            {
                body.Write(Frames.Of(messages[i + 1]));
            }
        }

        body.Complete();
        Assert.Equal(0, await stream.ReadAsync(new byte[1], given));
        Assert.Equal(StatusCode.Ok, new RawCall(http, []).Status);
    }

    private static async Task CountAsync(HttpClient client, Random random, CancellationToken given)
    {
        var count = random.Next(2000);
        var size = count < 20 ? Size(random) : random.Next(100);
        var message = Frames.Of(Body(random, size));
        using var http = await SendAsync(client, RawRequest.Count,
            RawCall.Bytes(Frames.Join([.. Enumerable.Repeat(message, count)])), given);
        var call = new RawCall(http, await http.Content.ReadAsByteArrayAsync(given));
        Assert.Equal(StatusCode.Ok, call.Status);
        Assert.Equal(count, call.Single(CountResponse.Parser).Count);
    }

    // A reader that is slow, and leaves before the end that never comes.
    private static async Task ReadSomeAsync(HttpClient client, Random random, CancellationToken given)
    {
        using var http = await SendAsync(client, RawRequest.Flood, RawCall.Bytes(Frames.Of([])), given);
        await using var stream = await http.Content.ReadAsStreamAsync(given);
        var part = new byte[random.Next(1, 20_000)];
        for (var i = random.Next(20); i > 0; i--)
        {
            await stream.ReadExactlyAsync(part, given);
            await Task.Yield();
        }
    }

    private static async Task RefuseAsync(HttpClient client, Random random, CancellationToken given)
    {
        var message = Frames.Of(Body(random, Size(random)));
        using var http = await SendAsync(client, RawRequest.Refuse,
            RawCall.Bytes(Frames.Join(message, message, message)), given);
        var call = new RawCall(http, await http.Content.ReadAsByteArrayAsync(given));
        Assert.Equal(StatusCode.FailedPrecondition, call.Status);
    }

    private static async Task<HttpResponseMessage> SendAsync(
        HttpClient client, string path, HttpContent body, CancellationToken given)
    {
        using var request = RawCall.Request(path, body);
        return await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, given);
    }

    private static int Size(Random random) => random.Next(10) switch
    {
        0 => random.Next(1 << 19),
        < 4 => random.Next(1 << 15),
        _ => random.Next(200),
    };

    private static Payload Body(Random random, int size)
    {
        var bytes = new byte[size];
        random.NextBytes(bytes);
        return new Payload { Body = UnsafeByteOperations.UnsafeWrap(bytes) };
    }

    private static int Kept(TestHost host)
    {
        GC.Collect();
        return host.Requests.Count(request => request.IsAlive);
    }

    private sealed class Tally
    {
        private int _answered;
        private int _givenUp;

        public int Answered => Volatile.Read(ref _answered);

        public int GivenUp => Volatile.Read(ref _givenUp);

        public void Answer() => Interlocked.Increment(ref _answered);

        public void GiveUp() => Interlocked.Increment(ref _givenUp);
    }
}
