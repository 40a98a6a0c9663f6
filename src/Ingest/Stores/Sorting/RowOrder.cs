using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Ingest.Schema;

namespace Ingest.Stores.Sorting;

/// <summary>Where each row of a segment goes in the order of its table.</summary>
/// <remarks>
/// <para>
/// For tables whose ORDER BY is columns of text and, as its last, perhaps a whole number or a time: what comes as rows
/// of few keys, each with a time that goes on. The keys are numbered, the rows of each counted, and each row put behind
/// those of its key that came before it: a counting sort, whose keys alone are compared. Where a key's times do not go
/// on, its rows are sorted: by insertion, since as a rule a few have overtaken others, else as the library does.
/// </para>
/// <para>
/// <c>received_at</c> and <c>segment_id</c> are the same in all rows of a segment and decide nothing.
/// </para>
/// </remarks>
internal sealed class RowOrder
{
    // More of them are no longer sorted by their keys alone, and their runs no longer lie in the cache.
    private const int MaxKeys = 1 << 17;
    private const int MovesPerRow = 8;

    private readonly List<(int Column, KeyNumbers Keys, bool IsDictionary)> _texts = [];
    private readonly List<KeyNumbers> _numbers = []; // Of the texts by their place, kept for the next segment.
    private readonly List<KeyNumbers> _pairs = []; // Of what stands up to a text, from the second on.
    private readonly List<int> _blockNumbers = [];
    private readonly SortedTexts _text = new(); // Measures those of a dictionary.
    private int _timeColumn = -1;
    private int _timeWidth;
    private bool _isUnsigned;
    private int[] _places = [];
    private long[] _times = [];
    private int[] _next = [];
    private long[] _last = [];
    private bool[] _isMixed = [];
    private int[] _rowAt = [];
    private long[] _timeAt = [];
    private int _rows;

    /// <summary>Where each row goes; of a block those from its first row on.</summary>
    public ReadOnlySpan<int> Places => _places.AsSpan(0, _rows);

    /// <summary>Begins with a segment.</summary>
    /// <returns>False when the table has an order of another kind.</returns>
    public bool TryBegin(TableSchema table, IReadOnlyList<SegmentColumn> columns)
    {
        _texts.Clear();
        _timeColumn = -1;
        _rows = 0;
        foreach (string name in table.OrderBy)
        {
            if (name is TableSchema.ReceivedAtColumn or TableSchema.SegmentIdColumn)
            {
                continue;
            }

            int index = columns.TakeWhile(column => column.Name != name).Count();
            if (index == columns.Count || _timeColumn >= 0)
            {
                return false;
            }

            string type = columns[index].Type;
            if (type is "String" or "LowCardinality(String)")
            {
                if (_numbers.Count == _texts.Count)
                {
                    _numbers.Add(new KeyNumbers());
                    _pairs.Add(new KeyNumbers());
                }

                KeyNumbers keys = _numbers[_texts.Count];
                keys.Clear();
                _pairs[_texts.Count].Clear();
                _texts.Add((index, keys, type != "String"));
            }
            else if (type is "Int64" or "UInt64" or "Int32" or "UInt32"
                || type.StartsWith("DateTime64(", StringComparison.Ordinal))
            {
                (_timeColumn, _timeWidth) = (index, type.EndsWith("32", StringComparison.Ordinal) ? 4 : 8);
                _isUnsigned = type[0] == 'U';
            }
            else
            {
                return false;
            }
        }

        return _texts.Count > 0;
    }

    /// <summary>Takes the keys of a block's rows.</summary>
    /// <param name="rows">How many.</param>
    /// <param name="values">The values of its columns.</param>
    /// <returns>False when there are too many keys for this to be worth it.</returns>
    public bool TryAdd(int rows, ColumnBytes values)
    {
        if (_places.Length < _rows + rows)
        {
            int length = Math.Max(_rows + rows, 2 * _places.Length);
            Array.Resize(ref _places, length);
            Array.Resize(ref _times, length);
        }

        Span<int> numbers = _places.AsSpan(_rows, rows); // Until all keys are known.
        for (int i = 0; i < _texts.Count; i++)
        {
            (int column, KeyNumbers keys, bool isDictionary) = _texts[i];
            KeyNumbers? pairs = i > 0 ? _pairs[i] : null;
            if (isDictionary)
            {
                NumberDictionary(values(column), keys, numbers, pairs);
            }
            else
            {
                NumberTexts(values(column), keys, numbers, pairs);
            }
        }

        if (_timeColumn >= 0)
        {
            ReadTimes(values(_timeColumn), _times.AsSpan(_rows, rows));
        }

        _rows += rows;
        return KeyCount <= MaxKeys;
    }

    /// <summary>Finds the places, when all blocks have been added.</summary>
    public void Complete()
    {
        int[] order = SortKeys();
        int keys = order.Length;
        if (_next.Length < keys)
        {
            (_next, _last, _isMixed) = (new int[keys], new long[keys], new bool[keys]);
        }

        Span<int> places = _places.AsSpan(0, _rows);
        Span<int> next = _next.AsSpan(0, keys);
        next.Clear();
        foreach (int key in places)
        {
            next[key]++;
        }

        int start = 0;
        foreach (int key in order)
        {
            int count = next[key];
            next[key] = start;
            start += count;
        }

        if (_timeColumn < 0)
        {
            foreach (ref int place in places)
            {
                place = next[place]++;
            }
        }
        else if (PlaceByTime(places, next))
        {
            SortMixed(places, order);
        }
    }

    private int KeyCount => _texts.Count > 1 ? _pairs[_texts.Count - 1].Count : _texts[0].Keys.Count;

    private static void NumberTexts(ReadOnlySpan<byte> bytes, KeyNumbers keys, Span<int> numbers, KeyNumbers? pairs)
    {
        int at = 0;
        foreach (ref int number in numbers)
        {
            int length = SortedTexts.MeasureOne(bytes, at);
            int own = keys.NumberOf(bytes.Slice(at, length));
            number = pairs is null ? own : Pair(pairs, number, own);
            at += length;
        }
    }

    private void NumberDictionary(ReadOnlySpan<byte> bytes, KeyNumbers keys, Span<int> numbers, KeyNumbers? pairs)
    {
        if (!SortedDictionaryValues.TrySplit(
            _text, bytes, numbers.Length, out int count, out ReadOnlySpan<byte> texts, out int width,
            out ReadOnlySpan<byte> indexes))
        {
            throw new InvalidDataException("a dictionary that does not end");
        }

        _blockNumbers.Clear();
        for (int i = 0, at = 0; i < count; i++)
        {
            int length = SortedTexts.MeasureOne(texts, at);
            _blockNumbers.Add(keys.NumberOf(texts.Slice(at, length)));
            at += length;
        }

        ReadOnlySpan<int> own = CollectionsMarshal.AsSpan(_blockNumbers);
        for (int i = 0; i < numbers.Length; i++)
        {
            int index = width switch
            {
                1 => indexes[i],
                2 => BinaryPrimitives.ReadUInt16LittleEndian(indexes[(2 * i)..]),
                _ => BinaryPrimitives.ReadInt32LittleEndian(indexes[(4 * i)..]),
            };
            numbers[i] = pairs is null ? own[index] : Pair(pairs, numbers[i], own[index]);
        }
    }

    // Keys of more than one column: the number of the ones before, and that of the one more.
    private static int Pair(KeyNumbers pairs, int before, int own)
    {
        Span<byte> pair = stackalloc byte[2 * sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(pair, before);
        BinaryPrimitives.WriteInt32LittleEndian(pair[sizeof(int)..], own);
        return pairs.NumberOf(pair);
    }

    private void ReadTimes(ReadOnlySpan<byte> bytes, Span<long> times)
    {
        if (_timeWidth == sizeof(long))
        {
            MemoryMarshal.Cast<byte, long>(bytes)[..times.Length].CopyTo(times);
            if (_isUnsigned)
            {
                foreach (ref long time in times)
                {
                    time ^= long.MinValue; // The order of unsigned numbers, as signed ones.
                }
            }

            return;
        }

        ReadOnlySpan<int> shorts = MemoryMarshal.Cast<byte, int>(bytes)[..times.Length];
        for (int i = 0; i < times.Length; i++)
        {
            times[i] = _isUnsigned ? (uint)shorts[i] : shorts[i];
        }
    }

    private int[] SortKeys()
    {
        int[] order = [.. Enumerable.Range(0, KeyCount)];
        if (_texts.Count == 1)
        {
            KeyNumbers keys = _texts[0].Keys;
            Array.Sort(order, (one, other) => Text(keys, one).SequenceCompareTo(Text(keys, other)));
            return order;
        }

        // Columns from the last to the first, whose number before it is the pair of the ones before that.
        Array.Sort(order, (one, other) => ComparePairs(one, other, _texts.Count - 1));
        return order;
    }

    private int ComparePairs(int one, int other, int column)
    {
        KeyNumbers keys = _texts[column].Keys;
        if (column == 0)
        {
            return Text(keys, one).SequenceCompareTo(Text(keys, other));
        }

        (int oneBefore, int oneOwn) = Unpair(_pairs[column], one);
        (int otherBefore, int otherOwn) = Unpair(_pairs[column], other);
        int before = oneBefore == otherBefore ? 0 : ComparePairs(oneBefore, otherBefore, column - 1);
        return before != 0 ? before : Text(keys, oneOwn).SequenceCompareTo(Text(keys, otherOwn));
    }

    private static (int Before, int Own) Unpair(KeyNumbers pairs, int pair) =>
        (BinaryPrimitives.ReadInt32LittleEndian(pairs[pair]),
            BinaryPrimitives.ReadInt32LittleEndian(pairs[pair][sizeof(int)..]));

    // Keys are kept with their length before them, which takes a byte for each seven bits.
    private static ReadOnlySpan<byte> Text(KeyNumbers keys, int number)
    {
        ReadOnlySpan<byte> key = keys[number];
        int at = 0;
        while (key[at] >= 0x80)
        {
            at++;
        }

        return key[(at + 1)..];
    }

    private bool PlaceByTime(Span<int> places, Span<int> next)
    {
        ReadOnlySpan<long> times = _times.AsSpan(0, places.Length);
        Span<long> last = _last.AsSpan(0, next.Length);
        Span<bool> isMixed = _isMixed.AsSpan(0, next.Length);
        last.Fill(long.MinValue);
        isMixed.Clear();
        bool anyMixed = false;
        for (int i = 0; i < places.Length; i++)
        {
            int key = places[i];
            long time = times[i];
            if (time < last[key])
            {
                isMixed[key] = anyMixed = true;
            }

            last[key] = time;
            places[i] = next[key]++;
        }

        return anyMixed;
    }

    // After the placing, next[key] is the end of the key's rows.
    private void SortMixed(Span<int> places, int[] order)
    {
        if (_rowAt.Length < places.Length)
        {
            (_rowAt, _timeAt) = (new int[_places.Length], new long[_places.Length]);
        }

        Span<int> rowAt = _rowAt.AsSpan(0, places.Length);
        Span<long> timeAt = _timeAt.AsSpan(0, places.Length);
        for (int i = 0; i < places.Length; i++)
        {
            int place = places[i];
            rowAt[place] = i;
            timeAt[place] = _times[i];
        }

        int start = 0;
        foreach (int key in order)
        {
            int end = _next[key];
            if (_isMixed[key])
            {
                Span<int> rows = rowAt[start..end];
                Sort(timeAt[start..end], rows);
                for (int i = 0; i < rows.Length; i++)
                {
                    places[rows[i]] = start + i;
                }
            }

            start = end;
        }
    }

    private static void Sort(Span<long> times, Span<int> rows)
    {
        long moves = (long)MovesPerRow * times.Length;
        for (int i = 1; i < times.Length; i++)
        {
            (long time, int row) = (times[i], rows[i]);
            int at = i;
            for (; at > 0 && times[at - 1] > time; at--)
            {
                (times[at], rows[at]) = (times[at - 1], rows[at - 1]);
            }

            (times[at], rows[at]) = (time, row);
            moves -= i - at;
            if (moves < 0)
            {
                times.Sort(rows);
                return;
            }
        }
    }
}
