namespace Ingest.Cli.Simulation;

/// <summary>
/// Random numbers that are the same for a seed on every machine and runtime: SplitMix64 (Steele, Lea, Flood: Fast
/// splittable pseudorandom number generators, 2014).
/// </summary>
internal sealed class SimulationRandom(ulong seed)
{
    private ulong _state = seed;

    /// <summary>64 random bits.</summary>
    public ulong NextBits()
    {
        _state += 0x9e3779b97f4a7c15;
        var bits = _state;
        bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9;
        bits = (bits ^ (bits >> 27)) * 0x94d049bb133111eb;
        return bits ^ (bits >> 31);
    }

    /// <summary>A generator of its own, so that more draws here do not change what is drawn there.</summary>
    public SimulationRandom Split() => new(NextBits());

    /// <summary>A number in [0, 1).</summary>
    public double Unit() => (NextBits() >> 11) * (1.0 / (1UL << 53));

    /// <summary>A number in [from, to).</summary>
    public double Between(double from, double to) => from + ((to - from) * Unit());

    /// <summary>A whole number in [0, count).</summary>
    public int Below(int count) => (int)(Unit() * count);

    /// <summary>True with a probability.</summary>
    public bool Chance(double probability) => Unit() < probability;

    /// <summary>How often something happens that is expected <paramref name="mean"/> times.</summary>
    public int Poisson(double mean)
    {
        // Knuth's method, in pieces: e^-mean must not vanish.
        var count = 0;
        for (; mean > 30; mean -= 30)
        {
            count += Poisson(30);
        }
        var limit = Math.Exp(-mean);
        for (var product = Unit(); product > limit; product *= Unit())
        {
            count++;
        }
        return count;
    }
}
