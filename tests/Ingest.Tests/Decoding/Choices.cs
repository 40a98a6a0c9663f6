namespace Ingest.Tests.Decoding;

/// <summary>
/// Decisions of a generator, taken from a list of numbers, so that FsCheck can shrink what they lead to: a shorter list
/// and smaller numbers are a smaller message. When the list is over every decision is 0.
/// </summary>
internal sealed class Choices(Func<int> next)
{
    public static Choices From(int[] numbers)
    {
        var at = 0;
        return new Choices(() => at < numbers.Length ? numbers[at++] & int.MaxValue : 0);
    }

    public static Choices From(Random random) => new(() => random.Next());

    /// <summary>A number from 0 to below <paramref name="count"/>.</summary>
    public int Next(int count) => next() % count;

    /// <summary>True once in <paramref name="times"/>; false when the list is over.</summary>
    public bool OneIn(int times) => Next(times) == times - 1;

    public ulong Bits() => ((ulong)next() << 33) ^ ((ulong)next() << 11) ^ (ulong)next();

    public T Of<T>(params ReadOnlySpan<T> values) => values[Next(values.Length)];
}
