using Ingest.Server.Http2.Hpack;
using Ingest.Tests.Decoding;

namespace Ingest.Server.Tests.Http2.Hpack;

/// <summary>
/// A client's side of HPACK that goes every way that RFC 7541 leaves open: indexed or not, with names of either table,
/// Huffman code or not, table sizes changed between blocks. Made to be plain, not fast.
/// </summary>
internal sealed class WireModel(Choices choices, int maxTableBytes)
{
    private static readonly (uint Code, int Bits)[] s_codes = MakeCodes();

    private readonly List<(string Name, string Value)> _table = [];
    private readonly int _maxTableBytes = maxTableBytes;
    private int _limit = maxTableBytes;

    /// <summary>Fields that were written as an index into the dynamic table.</summary>
    public int Hits { get; private set; }

    /// <summary>Fields that were dropped from the dynamic table.</summary>
    public int Evictions { get; private set; }

    public int TableBytes => _table.Sum(Bytes);

    /// <summary>A block of these fields; octets are Latin-1 characters.</summary>
    public byte[] Write(IEnumerable<(string Name, string Value)> fields)
    {
        List<byte> block = [];
        if (choices.OneIn(8))
        {
            Resize(block, choices.Next(_maxTableBytes + 1));
            if (choices.OneIn(2))
            {
                Resize(block, choices.Next(_maxTableBytes + 1));
            }
        }

        foreach (var field in fields)
        {
            Write(block, field);
        }

        return [.. block];
    }

    /// <summary>An integer behind the bits of its form (RFC 7541, 5.1).</summary>
    public static void AddInteger(List<byte> block, int form, int prefixBits, int value)
    {
        var max = (1 << prefixBits) - 1;
        if (value < max)
        {
            block.Add((byte)(form | value));
            return;
        }

        block.Add((byte)(form | max));
        for (value -= max; value >= 128; value /= 128)
        {
            block.Add((byte)((value % 128) + 128));
        }

        block.Add((byte)value);
    }

    /// <summary>The Huffman code of a string of octets, padded with ones.</summary>
    public static byte[] Encode(string text)
    {
        var bits = string.Concat(text.Select(octet =>
            Convert.ToString(s_codes[octet].Code, 2).PadLeft(s_codes[octet].Bits, '0')));
        bits = bits.PadRight((bits.Length + 7) / 8 * 8, '1');
        return [.. bits.Chunk(8).Select(octet => Convert.ToByte(new string(octet), 2))];
    }

    private void Write(List<byte> block, (string Name, string Value) field)
    {
        var whole = Find(entry => entry == field);
        if (whole != 0 && !choices.OneIn(4))
        {
            Hits += whole > StaticTable.Count ? 1 : 0;
            AddInteger(block, 0x80, 7, whole);
            return;
        }

        var (form, prefixBits) = choices.Of((0x40, 6), (0x40, 6), (0x00, 4), (0x10, 4));
        var index = choices.OneIn(4) ? 0 : Find(entry => entry.Name == field.Name);
        AddInteger(block, form, prefixBits, index);
        if (index == 0)
        {
            AddText(block, field.Name);
        }

        AddText(block, field.Value);
        if (form == 0x40)
        {
            Evict(_limit - Bytes(field));
            if (Bytes(field) <= _limit)
            {
                _table.Insert(0, field);
            }
        }
    }

    private void Resize(List<byte> block, int limit)
    {
        AddInteger(block, 0x20, 5, limit);
        _limit = limit;
        Evict(limit);
    }

    private void Evict(int limit)
    {
        while (_table.Count > 0 && TableBytes > limit)
        {
            _table.RemoveAt(_table.Count - 1);
            Evictions++;
        }
    }

    private int Find(Func<(string Name, string Value), bool> matches)
    {
        for (var i = 1; i <= StaticTable.Count; i++)
        {
            var field = StaticTable.Fields[i];
            if (matches((field.Name.Text.ToLowerInvariant(), field.Value!)))
            {
                return i;
            }
        }

        var index = _table.FindIndex(entry => matches(entry));
        return index < 0 ? 0 : StaticTable.Count + 1 + index;
    }

    private void AddText(List<byte> block, string text)
    {
        var octets = choices.OneIn(2) ? Encode(text) : null;
        AddInteger(block, octets is null ? 0 : 0x80, 7, octets?.Length ?? text.Length);
        block.AddRange(octets ?? [.. text.Select(octet => (byte)octet)]);
    }

    private static int Bytes((string Name, string Value) field) => field.Name.Length + field.Value.Length + 32;

    private static (uint Code, int Bits)[] MakeCodes()
    {
        var codes = new (uint Code, int Bits)[Huffman.Lengths.Length];
        var (code, bits) = (0u, 0);
        foreach (var symbol in Enumerable.Range(0, codes.Length).OrderBy(symbol => Huffman.Lengths[symbol]))
        {
            code <<= Huffman.Lengths[symbol] - bits;
            bits = Huffman.Lengths[symbol];
            codes[symbol] = (code++, bits);
        }

        return codes;
    }
}
