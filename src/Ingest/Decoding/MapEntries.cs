using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Ingest.Columns;

namespace Ingest.Decoding;

/// <summary>
/// Entries of maps on the wire: messages of a key, field 1, and a value, field 2, that <see cref="WireCheck"/> has
/// passed.
/// </summary>
internal static class MapEntries
{
    private const int FewEntries = 16;

    /// <summary>Finds key and value of an entry; of each the last one counts, and either may be absent.</summary>
    public static MapEntry Read(ref byte source, int at, int end, FieldOp keyOp, uint valueWireType)
    {
        var entry = new MapEntry
        {
            HasTextKey = keyOp == FieldOp.LowCardinality,
            KeyAt = at,
            IsLive = true,
            ValueAt = -1,
            End = end,
        };
        uint keyTag = Wire.Tag(1, keyOp switch
        {
            FieldOp.Fixed32 => Wire.I32,
            FieldOp.Fixed64 => Wire.I64,
            FieldOp.LowCardinality => Wire.Len,
            _ => Wire.Varint,
        });
        uint valueTag = Wire.Tag(2, valueWireType);
        while (at < end)
        {
            at = Wire.ReadTag(ref source, at, end, out uint tag);
            if (tag == valueTag)
            {
                entry.ValueAt = at;
            }

            if (tag != keyTag)
            {
                at = Wire.Skip(ref source, at, end, tag, depth: 0);
            }
            else if (keyOp == FieldOp.LowCardinality)
            {
                entry.KeyAt = Wire.ReadLength(ref source, at, end, out entry.KeyLength);
                at = entry.KeyAt + entry.KeyLength;
            }
            else
            {
                at = ReadKey(keyOp, ref source, at, end, out entry.Key);
            }
        }

        return entry;
    }

    // Keys that are equal in the column are equal here: a 32-bit key is compared in 32 bits, a bool as 0 or 1.
    private static int ReadKey(FieldOp op, ref byte source, int at, int end, out ulong key)
    {
        switch (op)
        {
            case FieldOp.Fixed32:
                key = Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref source, at));
                return at + sizeof(uint);
            case FieldOp.Fixed64:
                key = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref source, at));
                return at + sizeof(ulong);
            default:
                at = Wire.ReadVarint(ref source, at, end, out ulong number);
                key = Wire.ValueOf(op, number);
                return at;
        }
    }

    /// <summary>Of entries with the same key the last one stays alive.</summary>
    public static void KeepLastOfKey(RowScratch scratch, ref byte source, int first)
    {
        Span<MapEntry> entries = CollectionsMarshal.AsSpan(scratch.Entries)[first..];
        if (entries.Length > FewEntries)
        {
            KeepLastOfManyKeys(scratch, ref source, entries);
            return;
        }

        for (int i = 1; i < entries.Length; i++)
        {
            ReadOnlySpan<byte> key = KeyOf(ref source, entries[i]);
            for (int j = 0; j < i; j++)
            {
                if (entries[j].KeyLength == key.Length && entries[j].Key == entries[i].Key
                    && key.SequenceEqual(KeyOf(ref source, entries[j])))
                {
                    entries[j].IsLive = false;
                }
            }
        }
    }

    private static void KeepLastOfManyKeys(RowScratch scratch, ref byte source, Span<MapEntry> entries)
    {
        KeyDictionary keys = scratch.Keys;
        List<int> lastOfKey = scratch.LastOfKey;
        keys.Reset();
        lastOfKey.Clear();
        for (int i = 0; i < entries.Length; i++)
        {
            ref MapEntry entry = ref entries[i];
            ulong number = entry.Key;
            int key = entry.HasTextKey
                ? keys.KeyOf(KeyOf(ref source, entry), i)
                : keys.KeyOf(MemoryMarshal.AsBytes(new ReadOnlySpan<ulong>(in number)), i);
            if (key < lastOfKey.Count)
            {
                entries[lastOfKey[key]].IsLive = false;
                lastOfKey[key] = i;
            }
            else
            {
                lastOfKey.Add(i);
            }
        }
    }

    /// <summary>The bytes of a key that is text.</summary>
    public static ReadOnlySpan<byte> KeyOf(ref byte source, in MapEntry entry) =>
        MemoryMarshal.CreateReadOnlySpan(ref Unsafe.Add(ref source, entry.KeyAt), entry.KeyLength);
}
