namespace Ingest.Cli.Simulation;

/// <summary>
/// Finds the quickest way without traffic, with A* (Hart, Nilsson, Raphael 1968). Not safe for use by several threads
/// at once: it keeps its arrays.
/// </summary>
internal sealed class RouteFinder(CityMap map)
{
    private const double FastestKph = 48;

    private readonly double[] _seconds = new double[map.Nodes];
    private readonly int[] _previous = new int[map.Nodes];
    private readonly int[] _seen = new int[map.Nodes];
    private readonly PriorityQueue<int, double> _open = new();
    private int _search;

    /// <summary>Writes the crossings of the way, both ends included, into a list.</summary>
    public void Find(int from, int to, List<int> route)
    {
        _search++;
        _open.Clear();
        _seen[from] = _search;
        _seconds[from] = 0;
        _previous[from] = -1;
        _open.Enqueue(from, 0);
        Span<int> neighbours = stackalloc int[8];
        while (_open.TryDequeue(out var node, out _) && node != to)
        {
            var count = map.Neighbours(node, neighbours);
            foreach (var next in neighbours[..count])
            {
                var seconds = _seconds[node] + (map.Distance(node, next) / map.FreeKph(node, next) * 3.6);
                if (_seen[next] == _search && _seconds[next] <= seconds)
                {
                    continue;
                }
                _seen[next] = _search;
                _seconds[next] = seconds;
                _previous[next] = node;
                _open.Enqueue(next, seconds + (map.Distance(next, to) / FastestKph * 3.6));
            }
        }
        route.Clear();
        for (var node = to; node >= 0; node = _previous[node])
        {
            route.Add(node);
        }
        route.Reverse();
    }
}
