using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;
using Ingest.Columns;

namespace Ingest.Stores.Sorting;

/// <summary>
/// LowCardinality values: each block has a dictionary of its own. The first pass makes one of all, the second places
/// the indexes into it.
/// </summary>
internal sealed class SortedDictionaryValues(SortedValues key, bool nullable) : SortedValues
{
    private const int HeadBytes = 2 * sizeof(ulong);

    private readonly KeyNumbers _keys = new();
    private readonly List<int> _numbers = []; // Of each block's keys, block after block.
    private ScratchBytes _scratch = null!;
    private ArraySegment<byte> _sorted;
    private int _count;
    private int _width;
    private int _read; // Numbers that the second pass has used.

    public override int Passes => 2;

    public override int PrefixBytes => sizeof(ulong);

    /// <summary>A block's keys, with their lengths before them where they are texts, and its indexes.</summary>
    /// <returns>False when the bytes end before.</returns>
    /// <exception cref="InvalidDataException">It is no dictionary.</exception>
    public static bool TrySplit(
        SortedValues key, ReadOnlySpan<byte> bytes, int count, out int keys, out ReadOnlySpan<byte> keyBytes,
        out int width, out ReadOnlySpan<byte> indexes)
    {
        (keys, width) = (0, 0);
        keyBytes = indexes = default;
        if (bytes.Length < HeadBytes)
        {
            return false;
        }

        ulong kind = BinaryPrimitives.ReadUInt64LittleEndian(bytes);
        ulong declared = BinaryPrimitives.ReadUInt64LittleEndian(bytes[sizeof(ulong)..]);
        width = (kind & 0xff) switch
        {
            NativeFormat.IndexUInt8 => 1,
            NativeFormat.IndexUInt16 => 2,
            NativeFormat.IndexUInt32 => 4,
            _ => throw new InvalidDataException($"dictionary indexes of kind {kind}"),
        };
        keys = declared <= int.MaxValue ? (int)declared : throw new InvalidDataException($"{declared} keys");
        int length = key.Measure(bytes[HeadBytes..], keys);
        long end = HeadBytes + length + sizeof(ulong) + ((long)count * width);
        if (length < 0 || end > bytes.Length)
        {
            return false;
        }

        keyBytes = bytes.Slice(HeadBytes, length);
        ReadOnlySpan<byte> rest = bytes[(HeadBytes + length)..];
        indexes = BinaryPrimitives.ReadUInt64LittleEndian(rest) == (ulong)count
            ? rest.Slice(sizeof(ulong), count * width)
            : throw new InvalidDataException($"a dictionary of other rows than the block's {count}");
        return true;
    }

    public override int Measure(ReadOnlySpan<byte> bytes, int count) =>
        count == 0 ? 0
        : TrySplit(key, bytes, count, out _, out ReadOnlySpan<byte> keys, out _, out ReadOnlySpan<byte> indexes)
            ? HeadBytes + keys.Length + sizeof(ulong) + indexes.Length
            : Incomplete;

    public override void CheckPrefix(ReadOnlySpan<byte> bytes)
    {
        if (BinaryPrimitives.ReadUInt64LittleEndian(bytes) != NativeFormat.SharedDictionariesWithAdditionalKeys)
        {
            throw new InvalidDataException("a dictionary of another kind");
        }
    }

    public override void Begin(int count, ScratchBytes scratch)
    {
        (_scratch, _count, _read) = (scratch, count, 0);
        _keys.Clear();
        _numbers.Clear();
    }

    public override void Take(int pass, ReadOnlySpan<byte> bytes, ReadOnlySpan<int> places)
    {
        if (!TrySplit(
            key, bytes, places.Length, out int count, out ReadOnlySpan<byte> keys, out int width,
            out ReadOnlySpan<byte> indexes))
        {
            throw new InvalidDataException("a dictionary that does not end");
        }

        if (pass == 0)
        {
            Number(keys, count);
            return;
        }

        ReadOnlySpan<int> numbers = CollectionsMarshal.AsSpan(_numbers).Slice(_read, count);
        _read += count;
        switch (width)
        {
            case 1:
                Place(indexes, places, numbers);
                break;
            case 2:
                Place(MemoryMarshal.Cast<byte, ushort>(indexes), places, numbers);
                break;
            default:
                Place(MemoryMarshal.Cast<byte, uint>(indexes), places, numbers);
                break;
        }
    }

    public override void EndPass(int pass)
    {
        if (pass == 0)
        {
            _width = _keys.Count <= 1 << 8 ? 1 : _keys.Count <= 1 << 16 ? 2 : 4;
            _sorted = _scratch.Rent((long)_count * _width);
        }
    }

    public override void WritePrefix(PieceWriter target) =>
        target.WriteUInt64(NativeFormat.SharedDictionariesWithAdditionalKeys);

    public override void Write(PieceWriter target)
    {
        ulong kind = _width switch
        {
            1 => NativeFormat.IndexUInt8,
            2 => NativeFormat.IndexUInt16,
            _ => NativeFormat.IndexUInt32,
        };
        target.WriteUInt64(kind | NativeFormat.HasAdditionalKeys);
        target.WriteUInt64((ulong)_keys.Count);
        target.Write(_keys.Bytes);
        target.WriteUInt64((ulong)_count);
        target.Write(_sorted);
    }

    // The first of a nullable's keys is what stands for NULL, with the bytes of an empty one.
    private void Number(ReadOnlySpan<byte> keys, int count)
    {
        int at = 0;
        for (int i = 0; i < count; i++)
        {
            int length = key.Measure(keys[at..], 1);
            ReadOnlySpan<byte> bytes = keys.Slice(at, length);
            _numbers.Add(!nullable || i > 0 ? _keys.NumberOf(bytes) : _keys.Count > 0 ? 0 : _keys.AddApart(bytes));
            at += length;
        }
    }

    private void Place<T>(ReadOnlySpan<T> indexes, ReadOnlySpan<int> places, ReadOnlySpan<int> numbers)
        where T : unmanaged, IBinaryInteger<T>
    {
        switch (_width)
        {
            case 1:
                Place(indexes, places, numbers, _sorted.AsSpan());
                break;
            case 2:
                Place(indexes, places, numbers, MemoryMarshal.Cast<byte, ushort>(_sorted.AsSpan()));
                break;
            default:
                Place(indexes, places, numbers, MemoryMarshal.Cast<byte, uint>(_sorted.AsSpan()));
                break;
        }
    }

    private static void Place<TFrom, TTo>(
        ReadOnlySpan<TFrom> indexes, ReadOnlySpan<int> places, ReadOnlySpan<int> numbers, Span<TTo> sorted)
        where TFrom : unmanaged, IBinaryInteger<TFrom>
        where TTo : unmanaged, IBinaryInteger<TTo>
    {
        indexes = indexes[..places.Length];
        for (int i = 0; i < indexes.Length; i++)
        {
            sorted[places[i]] = TTo.CreateTruncating(numbers[int.CreateTruncating(indexes[i])]);
        }
    }
}
