using Ingest.Log;

namespace Ingest.Tests.Log;

public sealed class OffsetRangesTests
{
    private const int Size = 64;

    [Fact]
    public void In_whatever_order_and_overlap_offsets_come_it_is_the_set_of_them()
    {
        var random = new Random(1);
        for (var round = 0; round < 2000; round++)
        {
            var ranges = new OffsetRanges();
            var model = new bool[Size + 1];
            var saved = (Ranges: ranges.Save(), Model: (bool[])model.Clone());
            for (var step = 0; step < 24; step++)
            {
                var (start, end) = Run(random);
                Assert.Equal(model.AsSpan(start, end - start).Contains(true), ranges.Overlaps(start, end));
                var missing = new List<(long Start, long End)>();
                ranges.FindMissing(start, end, missing);
                Assert.Equal(
                    Enumerable.Range(start, end - start).Where(offset => !model[offset]).Select(offset => (long)offset),
                    missing.SelectMany(run => Enumerable.Range((int)run.Start, (int)(run.End - run.Start)))
                        .Select(offset => (long)offset));

                ranges.Add(start, end);
                model.AsSpan(start, end - start).Fill(true);
                Check(model, ranges);
                switch (random.Next(6))
                {
                    case 0:
                        saved = (ranges.Save(), (bool[])model.Clone());
                        break;
                    case 1:
                        ranges.Restore(saved.Ranges);
                        model = (bool[])saved.Model.Clone();
                        Check(model, ranges);
                        break;
                }
            }
        }
    }

    private static (int Start, int End) Run(Random random)
    {
        var start = random.Next(Size);
        return (start, Math.Min(Size, start + 1 + random.Next(12)));
    }

    private static void Check(bool[] model, OffsetRanges ranges)
    {
        Assert.Equal(Array.IndexOf(model, false), ranges.End);
        var last = ranges.End;
        foreach (var (start, end) in ranges.Ahead)
        {
            Assert.True(last < start && start < end, "ranges touch or are out of order");
            last = end;
        }

        for (var offset = (int)ranges.End; offset < Size; offset++)
        {
            Assert.Equal(model[offset], ranges.Ahead.Any(range => range.Start <= offset && offset < range.End));
        }
    }
}
