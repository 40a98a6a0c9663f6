using FsCheck;
using FsCheck.Fluent;
using Ingest.Tests.Decoding;
using Ingest.Tests.Stores;
using Ingest.Topics;
using Xunit.Abstractions;

namespace Ingest.Tests.Topics;

/// <summary>
/// Whatever subscribers and the server do: order within a key, no loss without a gap, and gaps with exact ranges and
/// counts.
/// </summary>
[Collection(EngineCollection.Name)]
public sealed class TopicPropertyTests(EngineFixture engine, ITestOutputHelper output)
{
    private const int Steps = 40;

    private static readonly int s_cases =
        int.TryParse(Environment.GetEnvironmentVariable("INGEST_FUZZ_CASES"), out int cases) ? cases : 10;

    // A ring that is soon full and a limit that is soon reached.
    private static readonly TopicOptions s_small = new() { MaxCount = 48, MaxLagMessages = 24 };

    [SkippableFact]
    public void Every_subscriber_gets_all_in_order_or_is_told_exactly_what_not()
    {
        Ingest.Stores.IStore store = engine.Store;
        (int gaps, int resumes) = (0, 0);
        var numbers = Gen.ArrayOf(Gen.Choose(0, int.MaxValue)).Resize(Steps * 4);
        Prop.ForAll(
            Arb.From(numbers, Shrink),
            draws =>
            {
                TopicModel model = RunAsync(store, Choices.From(draws), Steps).GetAwaiter().GetResult();
                (gaps, resumes) = (gaps + model.Gaps, resumes + model.Resumes);
            }).Check(Config.QuickThrowOnFailure.WithMaxTest(s_cases));
        output.WriteLine($"{gaps} gaps, {resumes} resumes");
    }

    [SkippableFact]
    public async Task Many_subscribers_come_and_go_over_restarts_and_kills()
    {
        Ingest.Stores.IStore store = engine.Store;
        int seed = Random.Shared.Next();
        try
        {
            TopicModel model = await RunAsync(store, Choices.From(new Random(seed)), Steps * s_cases);
            output.WriteLine($"seed {seed}: {model.Gaps} gaps, {model.Resumes} resumes");
            Assert.True(model.Gaps > 0 && model.Resumes > 0, "it shows nothing");
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"seed {seed}: {e.Message}", e);
        }
    }

    private static async Task<TopicModel> RunAsync(Ingest.Stores.IStore store, Choices choices, int steps)
    {
        await using TopicServer server = await TopicServer.StartAsync(s_small, store);
        var model = new TopicModel(server, choices);
        await model.RunAsync(steps);
        return model;
    }

    private static IEnumerable<int[]> Shrink(int[] draws)
    {
        for (int size = draws.Length / 2; size > 0; size /= 2)
        {
            for (int at = 0; at + size <= draws.Length; at += size)
            {
                yield return [.. draws[..at], .. draws[(at + size)..]];
            }
        }
    }
}
