using System.Diagnostics;

namespace Ingest.Fanout;

/// <summary>Measures one server with more and more subscribers.</summary>
internal sealed class FanoutRun(PeerProcess peer, FanoutOptions options, Action<string> report) : IDisposable
{
    private const int Samples = 10;

    private readonly Receiver _receiver = new();
    private readonly List<Sample> _samples = [];
    private long _published;
    private int _subscribers;
    private long _base;

    /// <summary>Measures at each number of subscribers.</summary>
    public List<FanoutResult> Run()
    {
        var results = new List<FanoutResult>();
        foreach (int count in options.Subscribers)
        {
            Connect(count);
            Push(options.WarmUp);
            (double rate, double cpu, double cores) = Push(options.Duration);
            (double pace, double p50, double p99, double pacedCpu) = Pace(options.Duration);
            results.Add(new FanoutResult(
                peer.Name, count, rate, cpu, cores, pace, p50, p99, pacedCpu, _samples.Sum(s => s.Missing)));
            report($"{peer.Name}, {count} subscribers: {rate:#,0} deliveries/s, {cpu:0.00} us CPU each ({cores:0.00} cores); "
                + $"at {pace:#,0}/s p50 {p50:0.00} ms, p99 {p99:0.00} ms, {pacedCpu:0.00} us; "
                + $"missing {results[^1].Missing}");
        }

        return results;
    }

    /// <summary>
    /// Memory of the server an idle subscriber: what it grows by when many come to a few that have been served already,
    /// so that what a server needs once is not counted.
    /// </summary>
    public double MeasureIdle(int few, int many)
    {
        Connect(few);
        Push(options.WarmUp);
        long before = Settled();
        Connect(many);
        double bytes = (Settled() - before) / (double)(many - few);
        report($"{peer.Name}: {bytes:#,0} bytes an idle subscriber");
        return bytes;
    }

    /// <summary>What one subscriber that never reads does to the others, and to the server's memory.</summary>
    public StalledResult MeasureStalled(int subscribers)
    {
        Connect(subscribers);
        Push(options.WarmUp);
        (_, double p50, double p99, _) = Pace(options.Duration);
        long before = Settled();
        using Subscriber silent = peer.Connect(sample: null, receiveBytes: 4096);
        Push(options.Duration); // Enough to fill what the kernel holds for a connection.
        long after = Settled();
        (_, double p50With, double p99With, _) = Pace(options.Duration);
        var result = new StalledResult(peer.Name, subscribers, p50, p99, p50With, p99With, before, after, Settled());
        report(result.ToString());
        return result;
    }

    /// <inheritdoc/>
    public void Dispose() => _receiver.Dispose();

    // The smallest of a few looks: a server may give back what a collection has freed a little later.
    private long Settled()
    {
        long least = long.MaxValue;
        for (int i = 0; i < 5; i++)
        {
            peer.Settle();
            Thread.Sleep(200);
            least = Math.Min(least, peer.ResidentBytes);
        }

        return least;
    }

    private void Connect(int count)
    {
        // Spread over those that come, or a server that goes through its subscribers in order would show its best.
        int step = Math.Max(1, (count - _subscribers) / Samples);
        for (int i = 0; _subscribers < count; i++)
        {
            Sample? sample = i % step == 0 && peer.SubscriptionsPerConnection == 1 ? new Sample() : null;
            if (sample is not null)
            {
                _samples.Add(sample);
            }

            _receiver.Add(peer.Connect(sample));
            _subscribers += peer.SubscriptionsPerConnection;
        }

        // Who comes later gets less: everybody is counted from here on.
        _base = _published;
        _receiver.Mark();
    }

    // As fast as it goes, while the slowest subscriber is at most a window behind.
    private (double PerSecond, double CpuMicroseconds, double Cores) Push(TimeSpan duration)
    {
        long window = Math.Clamp(options.Window / _subscribers, 8, 4096);
        long before = _receiver.Total();
        double cpu = peer.CpuSeconds;
        var clock = Stopwatch.StartNew();
        while (clock.Elapsed < duration)
        {
            long goal = _base + Least() + window;

            // In groups: a publisher that says every update by itself would measure its own calls.
            if (goal - _published >= Math.Min(window / 4, 64))
            {
                Publish(goal);
            }
            else
            {
                Thread.Sleep(1);
            }
        }

        double seconds = clock.Elapsed.TotalSeconds;
        double used = peer.CpuSeconds - cpu;
        long deliveries = _receiver.Total() - before;
        Drain();
        return (deliveries / seconds, used * 1e6 / deliveries, used / seconds);
    }

    // At a pace that leaves every server time, one update at a time.
    private (double PerSecond, double P50, double P99, double CpuMicroseconds) Pace(TimeSpan duration)
    {
        double perSecond = Math.Clamp((double)options.PacedDeliveries / _subscribers, 1, options.MaxPacedUpdates);
        long before = _receiver.Total();
        double cpu = peer.CpuSeconds;
        _samples.ForEach(sample => sample.Begin());
        var clock = Stopwatch.StartNew();
        for (long n = 0; clock.Elapsed < duration; n++)
        {
            while (clock.Elapsed.TotalSeconds < n / perSecond)
            {
                Thread.Sleep(1);
            }

            Publish(_published + 1);
        }

        Drain();
        double seconds = clock.Elapsed.TotalSeconds;
        long deliveries = _receiver.Total() - before;
        double[] ages = [.. _samples.SelectMany(sample => sample.End()).Order()];
        double At(double share) => ages.Length == 0 ? double.NaN : ages[(int)Math.Min(ages.Length - 1, share * ages.Length)];
        return (deliveries / seconds, At(0.5), At(0.99), (peer.CpuSeconds - cpu) * 1e6 / deliveries);
    }

    private long Least() => _receiver.Least() / peer.SubscriptionsPerConnection;

    private void Publish(long total)
    {
        peer.PublishUpTo(total);
        _published = total;
    }

    private void Drain()
    {
        var clock = Stopwatch.StartNew();
        while (_base + Least() < _published)
        {
            if (clock.Elapsed > TimeSpan.FromSeconds(30))
            {
                throw new TimeoutException(
                    $"{peer.Name}: {_published - _base - Least()} updates did not come to every subscriber.");
            }

            Thread.Sleep(1);
        }
    }
}
