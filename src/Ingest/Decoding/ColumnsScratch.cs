using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Ingest.Columns;

namespace Ingest.Decoding;

/// <summary>
/// What a message with rows as columns is taken apart in: where its fields lie, and their numbers. Belongs to a batch
/// and its owner.
/// </summary>
internal sealed class ColumnsScratch
{
    private const int NumbersKept = 8 * Batch.RowsKept;
    private const int BytesKept = 1024 * 1024;
    private const int PiecesKept = 1024;
    private const int BitsPerWord = 64;
    private const int MaxByteLength = 0x7f;

    private int[] _numbers = [];
    private long[] _longs = [];
    private TextPlace[] _entries = [];
    private byte[] _gathered = [];
    private ulong[] _suspects = [];
    private bool _hasSuspects;
    private bool _areAllSuspect;
    private int _numberCount;
    private int _longCount;
    private int _entryCount;

    /// <summary>Where the message lies in its request; of several occurrences all.</summary>
    public List<(int Start, int Length)> Pieces { get; } = [];

    /// <summary>Number of rows that the message says it has.</summary>
    public uint RowCount { get; set; }

    /// <summary>Where the values of each repeated field lie.</summary>
    public ColumnRegion[] Regions { get; private set; } = [];

    /// <summary>The columns.</summary>
    public ColumnData[] Data { get; private set; } = [];

    /// <summary>Whether a field's values lie in pieces, and have to be gathered.</summary>
    public bool IsScattered { get; private set; }

    /// <summary>Why the columns make no rows.</summary>
    public string? Fault { get; set; }

    /// <summary>Whether the message's structs have been checked all the way down.</summary>
    public bool AreStructsChecked { get; set; }

    /// <summary>Rows that are written out as messages.</summary>
    public RowBuffer Rows { get; } = new();

    /// <summary>The values that lay in pieces.</summary>
    public ReadOnlySpan<byte> Gathered => _gathered;

    private bool IsGathering { get; set; }

    /// <summary>Bytes of memory that it holds.</summary>
    public long HeldBytes =>
        ((long)_numbers.Length * sizeof(int)) + ((long)(_longs.Length + _suspects.Length) * sizeof(long))
        + ((long)_entries.Length * Unsafe.SizeOf<TextPlace>()) + _gathered.Length + Rows.HeldBytes;

    /// <summary>Makes ready for a message.</summary>
    public void Begin(int regions, int columns)
    {
        if (Regions.Length != regions)
        {
            Regions = new ColumnRegion[regions];
            Data = new ColumnData[columns];
        }

        Array.Clear(Regions);
        Array.Clear(Data);
        (RowCount, IsScattered, IsGathering, Fault) = (0, false, false, null);
        AreStructsChecked = false;
        (_hasSuspects, _areAllSuspect) = (false, false);
        (_numberCount, _longCount, _entryCount) = (0, 0, 0);
    }

    /// <summary>
    /// Makes ready for a second walk over the same message, which brings each field's values together.
    /// </summary>
    public void BeginGathering()
    {
        (int bytes, int entries) = (0, 0);
        foreach (ref ColumnRegion region in Regions.AsSpan())
        {
            region.Start = region.End = bytes;
            region.FirstEntry = entries;
            bytes += region.Bytes;
            entries += region.Count;
            region.Count = 0;
        }

        if (_gathered.Length < bytes)
        {
            _gathered = GC.AllocateUninitializedArray<byte>(bytes);
        }

        _entryCount = 0;
        TakeEntries(entries);
        IsGathering = true;
    }

    /// <summary>Notes numbers, packed or one that is not.</summary>
    public void AddNumbers(int slot, ref byte source, int start, int length, bool isPacked)
    {
        ref ColumnRegion region = ref Regions[slot];
        if (IsGathering)
        {
            Gather(ref region, ref source, start, length);
            return;
        }

        IsScattered |= region.Bytes > 0 || !isPacked;
        (region.Start, region.End) = (start, start + length);
        region.Bytes += length;
    }

    /// <summary>Notes eight bytes, of which the last ones count.</summary>
    public void SetFixed64(int slot, ref byte source, int start)
    {
        ref ColumnRegion region = ref Regions[slot];
        if (IsGathering)
        {
            region.End = region.Start;
            Gather(ref region, ref source, start, sizeof(ulong));
            return;
        }

        (region.Start, region.End, region.Bytes) = (start, start + sizeof(ulong), sizeof(ulong));
    }

    /// <summary>Begins a run of strings or messages at their first tag.</summary>
    public void BeginItems(int slot, int begin)
    {
        ref ColumnRegion region = ref Regions[slot];
        if (IsGathering)
        {
            return;
        }

        if (region.Count == 0)
        {
            (region.Start, region.End, region.FirstEntry) = (begin, begin, _entryCount);
        }
        else
        {
            IsScattered |= region.End != begin;
        }
    }

    /// <summary>Notes a string or message of the run.</summary>
    public void AddItem(int slot, ref byte source, int start, int length)
    {
        ref ColumnRegion region = ref Regions[slot];
        if (IsGathering)
        {
            _entries[region.FirstEntry + region.Count++] = new TextPlace(region.End, length);
            Gather(ref region, ref source, start, length);
            return;
        }

        if (_entryCount == _entries.Length)
        {
            ColumnMemory.Grow(ref _entries, _entryCount + 1, Batch.RowsAtFirst);
        }

        _entries[_entryCount++] = new TextPlace(start, length);
        region.Count++;
        region.Bytes += length;
        region.End = start + length;
        region.Longest = Math.Max(region.Longest, length);
        region.HasEmpty |= length == 0;
    }

    /// <summary>
    /// Notes strings or messages of the run, as long as their lengths are a byte, room is left, and others follow.
    /// </summary>
    /// <param name="slot">Place among the regions.</param>
    /// <param name="tag">The tag that stands before each; it has been read for the first.</param>
    /// <param name="source">What they lie in.</param>
    /// <param name="at">The first one's length.</param>
    /// <param name="end">Behind the message that they belong to.</param>
    /// <returns>The length of the one that comes next, not yet noted.</returns>
    public int AddShortItems(int slot, byte tag, ref byte source, int at, int end)
    {
        ref ColumnRegion region = ref Regions[slot];
        Span<TextPlace> room = IsGathering ? default : _entries.AsSpan(_entryCount);
        (int count, int bytes, int longest, bool hasEmpty) = (0, 0, region.Longest, region.HasEmpty);

        // Ids tend to be of one length: that the next is as long as this one lets the processor run ahead.
        int length = -1;
        for (; count < room.Length && end - at > MaxByteLength + 1; count++)
        {
            int current = Unsafe.Add(ref source, at);
            if (current != length)
            {
                if (current > MaxByteLength)
                {
                    break;
                }

                length = current;
                longest = Math.Max(longest, length);
                hasEmpty |= length == 0;
            }

            // There is a byte behind it, which is looked at before anything is noted: the last one is not for this loop.
            int next = at + 1 + length;
            if (Unsafe.Add(ref source, next) != tag)
            {
                break;
            }

            room[count] = new TextPlace(at + 1, length);
            bytes += length;
            at = next + 1;
        }

        if (count > 0)
        {
            _entryCount += count;
            region.Count += count;
            region.Bytes += bytes;
            region.End = at - 1;
            (region.Longest, region.HasEmpty) = (longest, hasEmpty);
        }

        return at;
    }

    /// <summary>Notes that a nested message is there.</summary>
    public void AddMessage(int slot) => Regions[slot].Count++;

    /// <summary>Notes that a value of a row may break a rule, so that the row has to be looked at alone.</summary>
    public void Suspect(int row)
    {
        if (!_hasSuspects)
        {
            int words = (int)((RowCount / BitsPerWord) + 1);
            if (_suspects.Length < words)
            {
                ColumnMemory.Grow(ref _suspects, words, Batch.RowsAtFirst / BitsPerWord);
            }

            Array.Clear(_suspects, 0, words);
            _hasSuspects = true;
        }

        _suspects[row / BitsPerWord] |= 1UL << row;
    }

    /// <summary>Notes that each row has to be looked at alone.</summary>
    public void SuspectAll() => _areAllSuspect = true;

    /// <summary>The first row from this one on that has to be looked at alone; the number of rows when none has.</summary>
    public int NextSuspect(int row)
    {
        if (_areAllSuspect || !_hasSuspects)
        {
            return _areAllSuspect ? row : (int)RowCount;
        }

        int word = row / BitsPerWord;
        ulong bits = _suspects[word] & (ulong.MaxValue << row);
        for (int last = (int)(RowCount / BitsPerWord); bits == 0 && word < last;)
        {
            bits = _suspects[++word];
        }

        return bits == 0 ? (int)RowCount : (word * BitsPerWord) + BitOperations.TrailingZeroCount(bits);
    }

    /// <summary>Makes room for numbers and returns where they begin.</summary>
    public int TakeNumbers(int count) => Take(ref _numbers, ref _numberCount, count);

    /// <summary>Makes room for numbers of 64 bits and returns where they begin.</summary>
    public int TakeLongs(int count) => Take(ref _longs, ref _longCount, count);

    public Span<int> Numbers(int first, int count) => _numbers.AsSpan(first, count);

    public Span<long> Longs(int first, int count) => _longs.AsSpan(first, count);

    public ReadOnlySpan<TextPlace> Entries(int first, int count) => _entries.AsSpan(first, count);

    /// <summary>Lets go of what one large message has blown up.</summary>
    public void Trim()
    {
        ColumnMemory.Shrink(ref _numbers, NumbersKept);
        ColumnMemory.Shrink(ref _longs, NumbersKept / 2);
        ColumnMemory.Shrink(ref _entries, NumbersKept / 2);
        ColumnMemory.Shrink(ref _gathered, BytesKept);
        ColumnMemory.Shrink(ref _suspects, NumbersKept / BitsPerWord);
        if (Pieces.Capacity > PiecesKept)
        {
            Pieces.Clear();
            Pieces.Capacity = 0;
        }

        Rows.Trim();
    }

    private static int Take<T>(ref T[] array, ref int used, int count)
    {
        int first = used;
        used += count;
        if (used > array.Length)
        {
            ColumnMemory.Grow(ref array, used, Batch.RowsAtFirst);
        }

        return first;
    }

    private void TakeEntries(int count) => Take(ref _entries, ref _entryCount, count);

    private void Gather(ref ColumnRegion region, ref byte source, int start, int length)
    {
        MemoryMarshal.CreateReadOnlySpan(ref Unsafe.Add(ref source, start), length)
            .CopyTo(_gathered.AsSpan(region.End));
        region.End += length;
    }
}
