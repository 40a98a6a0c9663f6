namespace Ingest.Agents.Delivery;

/// <summary>How long restaurants take, from placing an order to its being ready: medians of the latest.</summary>
/// <remarks>A median of few is shrunk to that of all restaurants, which counts as <see cref="PriorCount"/>
/// orders.</remarks>
internal sealed class PreparationTimes
{
    private const int Kept = 32;
    private const int KeptOfAll = 512;
    private const int PriorCount = 4;
    private const int MaxRestaurants = 100_000;
    private const double MaxMinutes = 180;

    private readonly Dictionary<string, Queue<double>> _restaurants = new(StringComparer.Ordinal);
    private readonly Queue<double> _all = new();
    private double[] _sorted = [];

    /// <summary>Minutes that are expected while nothing is known.</summary>
    public double PriorMinutes { get; set; } = 12;

    internal IReadOnlyDictionary<string, Queue<double>> Restaurants => _restaurants;

    internal IReadOnlyCollection<double> All => _all;

    /// <summary>Learns from an order.</summary>
    public void Learn(string restaurant, double minutes)
    {
        if (minutes is < 0 or > MaxMinutes || double.IsNaN(minutes))
        {
            return;
        }

        Keep(_all, minutes, KeptOfAll);
        _sorted = [];
        if (restaurant.Length == 0)
        {
            return;
        }

        if (!_restaurants.TryGetValue(restaurant, out Queue<double>? own))
        {
            if (_restaurants.Count >= MaxRestaurants)
            {
                return;
            }

            _restaurants.Add(restaurant, own = new Queue<double>());
        }

        Keep(own, minutes, Kept);
    }

    /// <summary>Minutes that an order of a restaurant takes.</summary>
    public double Minutes(string restaurant)
    {
        double everywhere = Everywhere();
        return _restaurants.TryGetValue(restaurant, out Queue<double>? own)
            ? ((Median(own) * own.Count) + (everywhere * PriorCount)) / (own.Count + PriorCount)
            : everywhere;
    }

    /// <summary>
    /// Minutes until an order is ready that is not yet: the median of what those took that took longer than so far, all
    /// restaurants' spread about this one's expectation. One that should be ready is not taken to be so this moment.
    /// </summary>
    /// <param name="restaurant">The restaurant.</param>
    /// <param name="elapsed">Minutes since the order was placed.</param>
    public double MinutesLeft(string restaurant, double elapsed)
    {
        double expected = Minutes(restaurant);
        double[] all = Sorted();
        double everywhere = Everywhere();
        if (all.Length == 0 || everywhere <= 0 || expected <= 0)
        {
            return Math.Max(0, expected - elapsed);
        }

        double scale = expected / everywhere;
        int longer = Array.BinarySearch(all, elapsed / scale);
        longer = longer < 0 ? ~longer : longer + 1;
        return longer < all.Length
            ? Math.Max(0, (MedianOf(all.AsSpan(longer)) * scale) - elapsed)
            : Math.Max(0, expected - elapsed);
    }

    /// <summary>Takes up what was learnt before.</summary>
    internal void Restore(IEnumerable<(string Restaurant, double Minutes)> restaurants, IEnumerable<double> all)
    {
        foreach ((string restaurant, double minutes) in restaurants)
        {
            Learn(restaurant, minutes);
        }

        _all.Clear();
        foreach (double minutes in all)
        {
            _all.Enqueue(minutes);
        }

        _sorted = [];
    }

    private double Everywhere() => _all.Count == 0 ? PriorMinutes : MedianOf(Sorted());

    private double[] Sorted()
    {
        if (_sorted.Length != _all.Count)
        {
            _sorted = [.. _all.Order()];
        }

        return _sorted;
    }

    private static void Keep(Queue<double> queue, double minutes, int most)
    {
        queue.Enqueue(minutes);
        if (queue.Count > most)
        {
            queue.Dequeue();
        }
    }

    private static double Median(Queue<double> values) => MedianOf([.. values.Order()]);

    private static double MedianOf(ReadOnlySpan<double> sorted)
    {
        int middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
