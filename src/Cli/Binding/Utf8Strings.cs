using System.Text;

namespace Ingest.Cli.Binding;

/// <summary>
/// Strings of UTF-8 text that came lately, so that a column with few values does not allocate one per row. Bounded: 512
/// strings of at most 64 bytes each; the newest takes the place of another one.
/// </summary>
internal sealed class Utf8Strings
{
    private const int Slots = 512;
    private const int LongestBytes = 64;

    private readonly (byte[] Bytes, string Text)[] _slots = new (byte[], string)[Slots];

    public string Get(ReadOnlySpan<byte> utf8)
    {
        if (utf8.IsEmpty)
        {
            return "";
        }
        if (utf8.Length > LongestBytes)
        {
            return Encoding.UTF8.GetString(utf8);
        }
        // FNV-1a; a bad spread costs an allocation, nothing else.
        var hash = 2166136261u;
        foreach (var b in utf8)
        {
            hash = (hash ^ b) * 16777619u;
        }
        ref var slot = ref _slots[(hash ^ (hash >> 16)) % Slots];
        if (slot.Bytes is null || !utf8.SequenceEqual(slot.Bytes))
        {
            slot = (utf8.ToArray(), Encoding.UTF8.GetString(utf8));
        }
        return slot.Text;
    }
}
