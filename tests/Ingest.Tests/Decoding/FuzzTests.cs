using FsCheck;
using FsCheck.Fluent;
using Xunit.Abstractions;

namespace Ingest.Tests.Decoding;

/// <summary>
/// Random messages of every table, written in odd ways and spoilt. INGEST_FUZZ_CASES asks for more of them.
/// </summary>
public sealed class FuzzTests(ITestOutputHelper output)
{
    private const int RowsEach = 100;

    private static readonly int s_cases =
        int.TryParse(Environment.GetEnvironmentVariable("INGEST_FUZZ_CASES"), out var cases) ? cases : 500;

    public static TheoryData<string> Names => Tables.Names;

    [Theory]
    [MemberData(nameof(Names))]
    public void Random_messages_are_read_as_Google_Protobuf_reads_them(string table) => ReadRandomMessages(table, true);

    [Theory]
    [MemberData(nameof(Names))]
    public void The_interpreter_alone_reads_them_so_too(string table) => ReadRandomMessages(table, false);

    private void ReadRandomMessages(string table, bool emitsCode)
    {
        var seed = Random.Shared.Next();
        var comparison = new Comparison(Tables.Of(table), emitsCode);
        try
        {
            var choices = Choices.From(new Random(seed));
            for (var i = 1; i <= s_cases; i++)
            {
                comparison.Add(Row(comparison, choices));
                if (i % RowsEach == 0 || i == s_cases)
                {
                    comparison.Check();
                }
            }
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"seed {seed}: {e.Message}", e);
        }

        // All four ways have been gone often enough to mean something.
        output.WriteLine(
            $"accepted {comparison.Accepted}, rejected {comparison.Rejected}, malformed {comparison.Malformed}, "
            + $"not compared {comparison.Lenient}");
        Assert.InRange(comparison.Accepted, s_cases / 100, s_cases);
        Assert.InRange(comparison.Malformed, s_cases / 100, s_cases);
        Assert.InRange(comparison.Lenient, 0, s_cases / 20);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Shrunk_messages_are_read_as_Google_Protobuf_reads_them(string table)
    {
        var type = Tables.Of(table);
        var numbers = Gen.ArrayOf(Gen.Choose(0, int.MaxValue)).Resize(200);
        Prop.ForAll(
            Arb.From(numbers, Shrink),
            draws =>
            {
                var comparison = new Comparison(type);
                comparison.Add(Row(comparison, Choices.From(draws)));
                comparison.Check();
            }).Check(Config.QuickThrowOnFailure.WithMaxTest(s_cases / 10));

        static IEnumerable<int[]> Shrink(int[] draws)
        {
            for (var size = draws.Length / 2; size > 0; size /= 2)
            {
                for (var at = 0; at + size <= draws.Length; at += size)
                {
                    yield return [.. draws[..at], .. draws[(at + size)..]];
                }
            }

            for (var i = 0; i < draws.Length; i++)
            {
                if (draws[i] != 0)
                {
                    yield return [.. draws[..i], draws[i] / 2, .. draws[(i + 1)..]];
                }
            }
        }
    }

    private static byte[] Row(Comparison comparison, Choices choices) =>
        new WireMutator(choices).Mutate(new MessageMaker(choices).Make(comparison.Table.Message));
}
