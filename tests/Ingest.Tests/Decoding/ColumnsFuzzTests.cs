using FsCheck;
using FsCheck.Fluent;
using Ingest.V1;
using Xunit.Abstractions;

namespace Ingest.Tests.Decoding;

/// <summary>
/// Rows as columns and the same rows as messages, through both decoders: the same blocks, the same faults, the same
/// bytes for the dead letters; and what Google.Protobuf refuses is refused.
/// </summary>
public sealed class ColumnsFuzzTests(ITestOutputHelper output)
{
    private const int RequestsEach = 20;

    private static readonly int s_cases =
        int.TryParse(Environment.GetEnvironmentVariable("INGEST_FUZZ_CASES"), out int cases) ? cases : 1000;

    [Theory]
    [InlineData(nameof(GpsPoint))]
    [InlineData(nameof(Event))]
    public void Random_columns_are_the_rows_that_they_stand_for(string table)
    {
        int seed = Random.Shared.Next();
        var comparison = new ColumnsComparison(table);
        try
        {
            var choices = Choices.From(new Random(seed));
            for (int i = 1; i <= s_cases; i++)
            {
                comparison.Add(new ColumnsMaker(choices).Request(table));
                if (i % RequestsEach == 0 || i == s_cases)
                {
                    comparison.Check();
                }
            }
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"seed {seed}: {e.Message}", e);
        }

        output.WriteLine(comparison.ToString());
        Assert.InRange(comparison.Whole, s_cases / 10, s_cases);
        Assert.InRange(comparison.WithRejected, s_cases / 20, s_cases);
        Assert.InRange(comparison.Malformed, s_cases / 50, s_cases);
        Assert.InRange(comparison.Unfit, s_cases / 20, s_cases);
        Assert.InRange(comparison.Lenient, 0, s_cases / 20);
    }

    [Theory]
    [InlineData(nameof(GpsPoint))]
    [InlineData(nameof(Event))]
    public void Shrunk_columns_are_the_rows_that_they_stand_for(string table)
    {
        var numbers = Gen.ArrayOf(Gen.Choose(0, int.MaxValue)).Resize(1500);
        Prop.ForAll(
            Arb.From(numbers, Shrink),
            draws =>
            {
                var comparison = new ColumnsComparison(table);
                comparison.Add(new ColumnsMaker(Choices.From(draws)).Request(table));
                comparison.Check();
            }).Check(Config.QuickThrowOnFailure.WithMaxTest(s_cases / 10));

        static IEnumerable<int[]> Shrink(int[] draws)
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
}
