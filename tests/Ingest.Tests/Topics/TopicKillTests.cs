using System.Diagnostics;
using System.Globalization;
using Ingest.Stores;
using Ingest.Stores.Embedded;
using Xunit.Abstractions;

namespace Ingest.Tests.Topics;

public sealed class TopicKillTests(ITestOutputHelper output) : IDisposable
{
    private static readonly int s_kills = Environment.GetEnvironmentVariable("INGEST_CHAOS") == "long" ? 60 : 4;

    private readonly string _directory = Directory.CreateTempSubdirectory("ingest-topic-kill-").FullName;
    private readonly Dictionary<long, string> _acknowledged = [];
    private readonly Random _random = new();
    private string _epoch = "-";

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [SkippableFact]
    [Trait("Category", "Chaos")]
    public async Task After_kills_at_random_moments_a_topic_goes_on_in_its_epoch_with_every_durable_update()
    {
        string? missing = EmbeddedStore.WhyMissing(new StoreOptions());
        Skip.If(missing is not null, missing);
        for (int run = 0; run <= s_kills; run++)
        {
            await RunAndKillAsync(run);
        }

        output.WriteLine($"{s_kills} kills, {_acknowledged.Count} updates acknowledged");
        Assert.True(_acknowledged.Count > s_kills, "nothing was acknowledged: the test shows nothing");
    }

    private async Task RunAndKillAsync(int run)
    {
        using Process process = Start(run);
        var had = new Dictionary<long, string>();
        int linesLeft = _random.Next(400);
        long next = -1;
        try
        {
            while (await process.StandardOutput.ReadLineAsync() is { } line)
            {
                switch (line.Split(' '))
                {
                    case ["epoch", var epoch, var head]:
                        next = long.Parse(head, CultureInfo.InvariantCulture);
                        _epoch = _epoch == "-" ? epoch : _epoch;
                        Assert.Equal(_epoch, epoch);
                        break;
                    case ["had", var offset, var id]:
                        Assert.True(had.TryAdd(long.Parse(offset, CultureInfo.InvariantCulture), id), $"{line} twice");
                        break;
                    case ["gap", ..]:
                        Assert.Fail(line);
                        break;
                    case ["ready"]:
                        Check(had, next);
                        break;
                    case [var offset, var id, "."]: // The kill may cut the last line.
                        Assert.True(
                            _acknowledged.TryAdd(long.Parse(offset, CultureInfo.InvariantCulture), id),
                            $"{line} twice");
                        break;
                }

                if (next >= 0 && line[0] is >= '0' and <= '9' && linesLeft-- == 0)
                {
                    process.Kill();
                }
            }
        }
        finally
        {
            process.Kill();
            await process.WaitForExitAsync();
        }

        Assert.True(next >= 0, "it did not start");
    }

    // Also updates that nobody was told of are there, once and for all; but none is missing.
    private void Check(Dictionary<long, string> had, long next)
    {
        Assert.Equal(Enumerable.Range(0, (int)next).Select(offset => (long)offset), had.Keys.Order());
        Assert.All(_acknowledged, update => Assert.Equal(update.Value, had[update.Key]));
        Assert.Equal(had.Count, had.Values.Distinct().Count());
        foreach ((long offset, string id) in had)
        {
            _acknowledged[offset] = id;
        }
    }

    private Process Start(int run) => Process.Start(new ProcessStartInfo("dotnet")
    {
        RedirectStandardOutput = true,
        ArgumentList =
        {
            "exec", typeof(TopicKillTests).Assembly.Location, "topic-writer", _directory,
            run.ToString(CultureInfo.InvariantCulture), _epoch,
        },
    })!;
}
