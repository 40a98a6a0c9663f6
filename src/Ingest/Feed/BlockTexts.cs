using System.Text;
using Ingest.Columns;

namespace Ingest.Feed;

/// <summary>The texts of a column of a block, UTF-8, by row. Valid as long as the block is held.</summary>
public readonly ref struct BlockTexts
{
    private readonly ReadOnlySpan<byte> _bytes;
    private readonly ReadOnlySpan<int> _ends;
    private readonly ReadOnlySpan<int> _keys;
    private readonly KeyDictionary? _dictionary;

    internal BlockTexts(ReadOnlySpan<byte> bytes, ReadOnlySpan<int> ends)
    {
        _bytes = bytes;
        _ends = ends;
    }

    internal BlockTexts(ReadOnlySpan<int> keys, KeyDictionary dictionary)
    {
        _keys = keys;
        _dictionary = dictionary;
    }

    /// <summary>Whether the column is LowCardinality, so that equal texts of the block have equal <see cref="Keys"/>.</summary>
    public bool HasKeys => _dictionary is not null;

    /// <summary>Each row's key in the block's dictionary; empty when <see cref="HasKeys"/> is false.</summary>
    public ReadOnlySpan<int> Keys => _keys;

    /// <summary>Number of keys of the dictionary; 0 when <see cref="HasKeys"/> is false.</summary>
    public int KeyCount => _dictionary?.Count ?? 0;

    /// <summary>A row's text.</summary>
    public ReadOnlySpan<byte> this[int row] => _dictionary is not null
        ? _dictionary.Value(_keys[row])
        : NativeText.Before(_bytes, row == 0 ? 0 : _ends[row - 1], _ends[row]);

    /// <summary>The text of a key.</summary>
    public ReadOnlySpan<byte> OfKey(int key) => _dictionary!.Value(key);

    /// <summary>The key of a text, or -1 when no row has it; only when <see cref="HasKeys"/> is true.</summary>
    public int FindKey(ReadOnlySpan<byte> text)
    {
        for (int key = 0; key < KeyCount; key++)
        {
            if (_dictionary!.Value(key).SequenceEqual(text))
            {
                return key;
            }
        }

        return -1;
    }

    /// <summary>A row's text as a string.</summary>
    public string String(int row) => Encoding.UTF8.GetString(this[row]);
}
