using System.Diagnostics.CodeAnalysis;

namespace Ingest.Server.Http2;

/// <summary>Objects that nobody uses, of all threads, up to a bound.</summary>
/// <remarks>
/// A lock and an array: ConcurrentStack allocates a node for each object that comes back. Whoever is in a hurry keeps a
/// few for its own thread before it asks here.
/// </remarks>
internal sealed class FreeList<T>(int most)
    where T : class
{
    private const int RoomAtFirst = 16;

    private readonly Lock _gate = new();
    private T?[] _items = new T?[Math.Min(most, RoomAtFirst)];
    private int _count;

    /// <summary>Takes one out.</summary>
    public bool TryTake([NotNullWhen(true)] out T? item)
    {
        lock (_gate)
        {
            if (_count == 0)
            {
                item = null;
                return false;
            }

            item = _items[--_count]!;
            _items[_count] = null;
            return true;
        }
    }

    /// <summary>Takes one in; above the bound it is left to the collector.</summary>
    public void Put(T item)
    {
        lock (_gate)
        {
            if (_count == most)
            {
                return;
            }

            if (_count == _items.Length)
            {
                Array.Resize(ref _items, Math.Min(most, 2 * _count));
            }

            _items[_count++] = item;
        }
    }
}
