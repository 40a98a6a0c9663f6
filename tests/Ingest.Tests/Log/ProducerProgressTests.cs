using Ingest.Log;

namespace Ingest.Tests.Log;

public sealed class ProducerProgressTests
{
    [Fact]
    public void In_whatever_order_offsets_come_the_end_is_the_same()
    {
        var random = new Random(1);
        for (var round = 0; round < 200; round++)
        {
            var cuts = Enumerable.Range(0, 20).Select(_ => random.Next(1, 200)).Append(0).Append(200).Distinct().Order().ToArray();
            var runs = cuts.Zip(cuts.Skip(1)).ToArray();
            random.Shuffle(runs);
            var progress = new ProducerProgress();
            var durable = new bool[201];
            foreach (var (start, end) in runs.Concat(runs.Take(3)))
            {
                progress.Add(1, start, end - start);
                durable.AsSpan(start, end - start).Fill(true);
                Assert.Equal(Array.IndexOf(durable, false), progress.DurableOffset);
                for (var offset = (int)progress.DurableOffset; offset < 200; offset++)
                {
                    Assert.Equal(durable[offset], progress.Ahead.Any(r => r.Start <= offset && offset < r.End));
                }
            }

            Assert.Equal(200, progress.DurableOffset);
            Assert.Empty(progress.Ahead);
        }
    }

    [Fact]
    public void The_newest_session_counts()
    {
        var progress = new ProducerProgress();
        progress.Add(7, 0, 1);
        progress.Add(3, 1, 1);
        Assert.Equal(7, progress.SessionEpoch);
    }
}
