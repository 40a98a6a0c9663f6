namespace Ingest.Stores.Sorting;

/// <summary>Memory that one column needs while it is sorted, and the next one after it.</summary>
/// <remarks>Used by one thread. Arrays of the heap: nothing that comes from a file can be written outside them.</remarks>
internal sealed class ScratchBytes
{
    private const int Unit = 1 << 20;

    private readonly List<byte[]> _free = [];
    private readonly List<byte[]> _rented = [];

    /// <summary>Bytes that it holds.</summary>
    public long HeldBytes => _free.Concat(_rented).Sum(bytes => (long)bytes.Length);

    /// <summary>Memory of so many bytes, with anything in it, until <see cref="ReturnAll"/>.</summary>
    /// <exception cref="InvalidDataException">No column of a segment needs as much.</exception>
    public ArraySegment<byte> Rent(long count)
    {
        if (count is < 0 or > int.MaxValue - Unit)
        {
            throw new InvalidDataException($"{count} bytes of a column");
        }

        int best = -1;
        for (int i = 0; i < _free.Count; i++)
        {
            if (_free[i].Length >= count && (best < 0 || _free[i].Length < _free[best].Length))
            {
                best = i;
            }
        }

        byte[] bytes;
        if (best >= 0)
        {
            bytes = _free[best];
            _free.RemoveAt(best);
        }
        else
        {
            // Units of a megabyte, or columns of nearly the same length would each have their own.
            bytes = GC.AllocateUninitializedArray<byte>((int)((count / Unit) + 1) * Unit);
        }

        _rented.Add(bytes);
        return new ArraySegment<byte>(bytes, 0, (int)count);
    }

    /// <summary>Takes all memory back.</summary>
    public void ReturnAll()
    {
        _free.AddRange(_rented);
        _rented.Clear();
    }

    /// <summary>Lets go of memory beyond so many bytes, the largest first.</summary>
    public void Trim(long bytes)
    {
        _free.Sort(static (one, other) => one.Length.CompareTo(other.Length));
        while (_free.Count > 0 && HeldBytes > bytes)
        {
            _free.RemoveAt(_free.Count - 1);
        }
    }
}
