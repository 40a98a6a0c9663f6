using Ingest.V1;
using static Ingest.EndToEnd.Tests.AppendCall;

namespace Ingest.EndToEnd.Tests;

/// <summary>Append over the wire: limits of a request, credit, and who goes beyond.</summary>
public sealed class AppendCreditTests(AppendServer server) : IClassFixture<AppendServer>
{
    private const int NotFound = 5;
    private const int ResourceExhausted = 8;

    [Fact]
    public async Task A_request_that_is_too_large_is_refused_in_band()
    {
        await using AppendCall call = await OpenAsync(server.Address, "large");
        call.SendPoints(0, 1000);
        await call.UntilAsync(c => c.Refusals.Count == 1);
        Assert.Equal((RefusalReason.TooLarge, 0L), (call.Refusals[0].Reason, call.Refusals[0].ExpectedOffset));
        call.SendPoints(0, 10);
        await call.DurableAsync(10);
    }

    [Fact]
    public async Task A_request_that_is_too_large_is_told_so_where_the_credit_is_no_larger_than_the_limit()
    {
        await using ServerProcess plain = await ServerProcess.StartAsync(null, "Store:Kind=null");
        await using AppendCall call = await OpenAsync(plain.GrpcAddress, "large");
        Assert.Equal(call.Opened!.CreditBytes, call.Opened.MaxRequestBytes);
        call.SendPoints(0, 1, new string('x', (int)call.Opened.MaxRequestBytes));
        await call.UntilAsync(c => c.Refusals.Count == 1);
        Assert.Equal(RefusalReason.TooLarge, call.Refusals[0].Reason);
    }

    [Fact]
    public async Task A_sender_without_an_id_hears_of_every_request_that_was_refused()
    {
        const int count = 100;
        await using AppendCall call = await OpenAsync(server.Address, "");
        byte[] refused = PointFrames.Frame(
            new AppendRequest { Rows = new AppendRows { Events = new EventRows { Events = { new Event() } } } });
        call.SendFrame([.. Enumerable.Repeat(refused, count).SelectMany(frame => frame)]);
        await call.UntilAsync(c => c.Refusals.Count == count);
        call.Complete();
        Assert.Equal(0, (await call.EndAsync()).Status);
    }

    [Fact]
    public async Task A_name_of_a_megabyte_is_not_repeated_whole()
    {
        await using AppendCall call = await OpenAsync(server.Address, "p", table: new string('t', 1 << 20));
        (int status, string message) = await call.EndAsync();
        Assert.Equal(NotFound, status);
        Assert.InRange(message.Length, 200, 500);
    }

    [Fact]
    public async Task Credit_comes_back_and_who_keeps_to_it_is_never_refused()
    {
        await using AppendCall call = await OpenAsync(server.Address, "credit");
        const int Rows = 100;
        for (int offset = 0; offset < 10_000; offset += Rows)
        {
            await call.UntilAsync(c => c.Credit >= AppendServer.MaxRequestBytes);
            call.SendPoints(offset, Rows);
        }

        await call.DurableAsync(10_000);
        await call.UntilAsync(c => c.Credit == AppendServer.CreditBytes);
        Assert.Empty(call.Refusals);
    }

    [Fact]
    public async Task Who_sends_on_without_credit_is_refused_and_then_ended()
    {
        await using AppendCall call = await OpenAsync(server.Address, "flood");
        byte[] frame = PointFrames.Frame(Points(0, [.. Enumerable.Range(0, 150).Select(i => PointFrames.Point(i))]));
        for (int i = 0; i < 4000; i++)
        {
            call.SendFrame(frame);
        }

        // The same rows over and over: acknowledged again while there is credit for them.
        (int status, string message) = await call.EndAsync();
        Assert.Equal(ResourceExhausted, status);
        Assert.Contains("credit", message, StringComparison.Ordinal);
        Assert.Contains(call.Refusals, refusal => refusal.Reason == RefusalReason.Credit);
    }
}
