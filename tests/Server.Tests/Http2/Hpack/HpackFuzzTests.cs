using FsCheck;
using FsCheck.Fluent;
using Ingest.Server.Http2.Hpack;
using Ingest.Tests.Decoding;
using Xunit.Abstractions;

namespace Ingest.Server.Tests.Http2.Hpack;

/// <summary>What clients may send, and what they may not. INGEST_FUZZ_CASES asks for more of it.</summary>
public sealed class HpackFuzzTests(ITestOutputHelper output)
{
    private const int Numbers = 400;

    private static readonly int s_cases =
        int.TryParse(Environment.GetEnvironmentVariable("INGEST_FUZZ_CASES"), out var cases) ? cases : 500;

    private static readonly string[] s_names =
    [
        ":path", ":authority", "content-type", "user-agent", "te", "cookie", "authorization", "x-id", "grpc-timeout",
        "a", new string('n', 100),
    ];

    [Fact]
    public void Whatever_way_a_client_writes_its_fields_they_are_read_and_the_tables_stay_in_step()
    {
        var (hits, evictions) = (0, 0);
        Prop.ForAll(
            Arb.From(Gen.ArrayOf(Gen.Choose(0, int.MaxValue)).Resize(Numbers)),
            numbers =>
            {
                var choices = Choices.From(numbers);
                var maxTableBytes = choices.Of(4096, 0, 100, 500);
                var model = new WireModel(choices, maxTableBytes);
                var decoder = new HpackDecoder(maxTableBytes);
                for (var blocks = choices.Next(20); blocks > 0; blocks--)
                {
                    var fields = Enumerable.Range(0, choices.Next(12)).Select(_ => Field(choices)).ToList();
                    var (error, list) = decoder.Decode(model.Write(fields));
                    Assert.Equal(HpackError.None, error);
                    Assert.Equal(fields.Select(field => $"{field.Name}: {field.Value}"), list.Lines);
                    Assert.Equal(model.TableBytes, decoder.TableBytes);
                }

                (hits, evictions) = (hits + model.Hits, evictions + model.Evictions);
            }).Check(Config.QuickThrowOnFailure.WithMaxTest(s_cases));
        output.WriteLine($"{hits} hits, {evictions} evictions");
        Assert.True(hits > s_cases / 10 && evictions > s_cases / 10, "it shows nothing");
    }

    [Fact]
    public void Spoilt_and_random_blocks_end_in_an_error_or_in_fields_within_the_limits()
    {
        var seed = Random.Shared.Next();
        var random = new Random(seed);
        var choices = Choices.From(random);
        var ends = new int[Enum.GetValues<HpackError>().Length];
        try
        {
            for (var i = 0; i < 40 * s_cases; i++)
            {
                var model = new WireModel(choices, 4096);
                var decoder = new HpackDecoder();
                for (var error = HpackError.None; error <= HpackError.TooLarge && !choices.OneIn(4);)
                {
                    error = DecodeSpoilt(decoder, model, random, choices);
                    ends[(int)error]++;
                }
            }
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"seed {seed}: {e.Message}", e);
        }

        output.WriteLine(string.Join(", ", ends.Select((count, error) => $"{(HpackError)error} {count}")));
        Assert.DoesNotContain(0, ends);
    }

    private static HpackError DecodeSpoilt(HpackDecoder decoder, WireModel model, Random random, Choices choices)
    {
        const int maxListBytes = 600;
        var block = choices.OneIn(8)
            ? new byte[choices.Next(50)]
            : model.Write(Enumerable.Range(0, choices.Next(6)).Select(_ => Field(choices)));
        if (choices.OneIn(8))
        {
            random.NextBytes(block);
        }

        for (var flips = choices.Next(3); flips > 0 && block.Length > 0; flips--)
        {
            block[choices.Next(block.Length)] = choices.OneIn(3) ? (byte)0xFF : (byte)choices.Next(256);
        }

        // The block is an array of its own: a read beyond its end throws.
        var list = new HeaderList();
        var cut = block.Length > 0 && choices.OneIn(3) ? 1 : 0;
        var error = decoder.Decode(block.AsSpan(0, block.Length - cut).ToArray(), ref list, maxListBytes, 8);
        Assert.True(list.Fields.Count <= 8);
        Assert.True(list.Fields.Sum(field => field.Name.Text.Length + 32) <= maxListBytes);
        Assert.InRange(decoder.TableBytes, 0, 4096);
        return error;
    }

    private static (string Name, string Value) Field(Choices choices)
    {
        if (choices.OneIn(6))
        {
            return (":method", choices.Of("GET", "POST", "PUT"));
        }

        var value = choices.Of("", "1", "application/grpc", "a-value", new string('v', choices.Next(300)));
        return (choices.Of(s_names), choices.OneIn(3) ? $"{value}{choices.Next(100)}" : value);
    }
}
