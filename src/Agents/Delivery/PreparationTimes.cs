namespace Ingest.Agents.Delivery;

/// <summary>How long restaurants take, from placing an order to its being ready: medians of the latest.</summary>
/// <remarks>A median of few is shrunk to that of all restaurants, which counts as <see cref="PriorCount"/> orders.</remarks>
internal sealed class PreparationTimes
{
    private const int Kept = 32;
    private const int KeptOfAll = 512;
    private const int PriorCount = 4;
    private const int MaxRestaurants = 100_000;
    private const double MaxMinutes = 180;

    private readonly Dictionary<string, Queue<double>> _restaurants = new(StringComparer.Ordinal);
    private readonly Queue<double> _all = new();

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
        double everywhere = _all.Count == 0 ? PriorMinutes : Median(_all);
        return _restaurants.TryGetValue(restaurant, out Queue<double>? own)
            ? ((Median(own) * own.Count) + (everywhere * PriorCount)) / (own.Count + PriorCount)
            : everywhere;
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
    }

    private static void Keep(Queue<double> queue, double minutes, int most)
    {
        queue.Enqueue(minutes);
        if (queue.Count > most)
        {
            queue.Dequeue();
        }
    }

    private static double Median(Queue<double> values)
    {
        double[] sorted = [.. values.Order()];
        int middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
