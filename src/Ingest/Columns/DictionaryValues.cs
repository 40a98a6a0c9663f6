using System.Buffers;
using System.Buffers.Binary;

namespace Ingest.Columns;

/// <summary>LowCardinality values, read back from a block: its dictionary, and an index for each row.</summary>
internal sealed class DictionaryValues(Func<BlockValues> newKeys, bool nullable) : BlockValues
{
    private BlockValues _keys = newKeys();
    private int[] _indexes = [];

    public override void ReadPrefix(BlockCursor block)
    {
        if (block.UInt64() != NativeFormat.SharedDictionariesWithAdditionalKeys)
        {
            throw new InvalidDataException($"a dictionary of another kind at {block.Position}");
        }
    }

    public override void Read(BlockCursor block, int count)
    {
        Count = count;
        if (count == 0)
        {
            return;
        }

        ulong kind = block.UInt64();
        int width = (kind & 0xff) switch
        {
            NativeFormat.IndexUInt8 => 1,
            NativeFormat.IndexUInt16 => 2,
            NativeFormat.IndexUInt32 => 4,
            _ => throw new InvalidDataException($"dictionary indexes of kind {kind} at {block.Position}"),
        };
        _keys = newKeys();
        _keys.Read(block, block.Count(block.UInt64()));
        if (block.UInt64() != (ulong)count)
        {
            throw new InvalidDataException($"a dictionary of other rows than the block's {count} at {block.Position}");
        }

        ReadIndexes(block.Take((long)count * width).Span, count, width);
    }

    public override void WritePrefix(IBufferWriter<byte> target) =>
        WriteUInt64(target, NativeFormat.SharedDictionariesWithAdditionalKeys);

    // Only the keys that the rows use, in the order in which they come: equal rows make equal bytes.
    public override void Write(IBufferWriter<byte> target, int first, int count)
    {
        if (count == 0)
        {
            return;
        }

        var places = new Dictionary<int, int>();
        var keys = new List<int>();
        if (nullable)
        {
            places.Add(0, 0);
            keys.Add(0);
        }

        foreach (int index in _indexes.AsSpan(first, count))
        {
            if (places.TryAdd(index, keys.Count))
            {
                keys.Add(index);
            }
        }

        (ulong kind, int width) = keys.Count switch
        {
            <= 1 << 8 => (NativeFormat.IndexUInt8, 1),
            <= 1 << 16 => (NativeFormat.IndexUInt16, 2),
            _ => (NativeFormat.IndexUInt32, 4),
        };
        WriteUInt64(target, kind | NativeFormat.HasAdditionalKeys);
        WriteUInt64(target, (ulong)keys.Count);
        foreach (int key in keys)
        {
            _keys.Write(target, key, 1);
        }

        WriteUInt64(target, (ulong)count);
        Span<byte> place = stackalloc byte[sizeof(int)];
        foreach (int index in _indexes.AsSpan(first, count))
        {
            BinaryPrimitives.WriteInt32LittleEndian(place, places[index]);
            target.Write(place[..width]);
        }
    }

    public override bool IsNull(int index) => nullable && _indexes[index] == 0;

    public override ReadOnlySpan<byte> Value(int index) => _keys.Value(_indexes[index]);

    private void ReadIndexes(ReadOnlySpan<byte> bytes, int count, int width)
    {
        _indexes = new int[count];
        for (int i = 0; i < count; i++)
        {
            int at = i * width;
            int index = width switch
            {
                1 => bytes[at],
                2 => BinaryPrimitives.ReadUInt16LittleEndian(bytes[at..]),
                _ => BinaryPrimitives.ReadInt32LittleEndian(bytes[at..]),
            };
            _indexes[i] = (uint)index < (uint)_keys.Count
                ? index
                : throw new InvalidDataException($"row {i} has key {index} of a dictionary of {_keys.Count}");
        }
    }
}
