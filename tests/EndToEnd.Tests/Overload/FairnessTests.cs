using Xunit.Abstractions;

namespace Ingest.EndToEnd.Tests.Overload;

/// <summary>One sender with many streams, another with one.</summary>
[Trait("Category", "Chaos")]
[Collection("alone")]
public sealed class FairnessTests(ITestOutputHelper output)
{
    [Fact]
    public async Task A_greedy_sender_with_many_streams_leaves_a_polite_one_its_share()
    {
        const int Rate = 5000;
        await using ServerProcess server = await ServerProcess.StartAsync(null, "Store:Kind=null");
        double seconds = OverloadTests.PhaseSeconds;
        Task<LoadReport> greedy = LoadProcess.StartAsync(
            new LoadOptions(server.GrpcAddress, "greedy", seconds, 64, 4, 0, 500) { Token = "greedy" });
        Task<LoadReport> polite = LoadProcess.StartAsync(
            new LoadOptions(server.GrpcAddress, "polite", seconds, 1, 1, Rate, 100) { Token = "polite" });
        output.WriteLine($"greedy, 64 streams: {await greedy}");
        output.WriteLine($"polite, 1 stream:   {await polite}");
        Assert.Empty((await polite).Refusals);
        Assert.Empty((await polite).Ended);
        Assert.Equal((await polite).Sent["polite-0"], (await polite).Durable["polite-0"]);
        Assert.True((await greedy).RowsPerSecond > 0);
    }
}
