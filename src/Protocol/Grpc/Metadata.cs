using System.Buffers;
using System.Buffers.Text;
using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Ingest.Protocol;

/// <summary>
/// Headers or trailers of a call: an ordered multi-map of lower-case ASCII keys to text, or to bytes for keys that end
/// in <c>-bin</c>.
/// </summary>
/// <remarks>Not safe for use by several threads at once. Grammar: the gRPC over HTTP/2 specification.</remarks>
public sealed class Metadata : IReadOnlyList<MetadataEntry>
{
    /// <summary>What the keys of binary values end in.</summary>
    public const string BinarySuffix = "-bin";

    private static readonly SearchValues<char> KeyCharacters =
        SearchValues.Create("0123456789abcdefghijklmnopqrstuvwxyz_-.");

    private readonly List<MetadataEntry> _entries = [];

    /// <inheritdoc/>
    public int Count => _entries.Count;

    /// <inheritdoc/>
    public MetadataEntry this[int index] => _entries[index];

    /// <summary>Whether values of this key are bytes.</summary>
    public static bool IsBinaryKey(ReadOnlySpan<char> key) =>
        key.EndsWith(BinarySuffix, StringComparison.OrdinalIgnoreCase);

    /// <summary>Adds a text. A key that is there already keeps its earlier values.</summary>
    /// <param name="key">The key; upper case is lowered.</param>
    /// <param name="value">Printable ASCII, blank included.</param>
    /// <exception cref="ArgumentException">The key or the value has characters that headers cannot carry, or the key
    /// ends in <c>-bin</c>.</exception>
    public void Add(string key, string value)
    {
        key = NormalizeKey(key);
        if (IsBinaryKey(key))
        {
            throw new ArgumentException($"The key '{key}' ends in -bin; its values are bytes.", nameof(key));
        }

        if (value.AsSpan().ContainsAnyExceptInRange(' ', '~'))
        {
            throw new ArgumentException($"The value of '{key}' is not printable ASCII; use a key that ends in -bin.",
                nameof(value));
        }

        _entries.Add(new MetadataEntry(key, value));
    }

    /// <summary>Adds bytes; they are not copied.</summary>
    /// <param name="key">The key; it ends in <c>-bin</c>.</param>
    /// <param name="value">Any bytes.</param>
    /// <exception cref="ArgumentException">The key has characters that headers cannot carry, or does not end in
    /// <c>-bin</c>.</exception>
    public void Add(string key, byte[] value)
    {
        ArgumentNullException.ThrowIfNull(value);
        key = NormalizeKey(key);
        if (!IsBinaryKey(key))
        {
            throw new ArgumentException($"The key '{key}' does not end in -bin; its values are text.", nameof(key));
        }

        _entries.Add(new MetadataEntry(key, value));
    }

    /// <summary>
    /// Adds a header as it came from the wire. The value of a <c>-bin</c> key is base64, padded or not; commas separate
    /// several values.
    /// </summary>
    /// <returns>False, and nothing is added, when the key or the base64 is malformed.</returns>
    public bool TryAddEncoded(string key, string value)
    {
        if (!TryNormalizeKey(key, out var normalized))
        {
            return false;
        }

        if (!IsBinaryKey(normalized))
        {
            _entries.Add(new MetadataEntry(normalized, value));
            return true;
        }

        var before = _entries.Count;
        foreach (var range in value.AsSpan().Split(','))
        {
            if (!TryDecodeBinary(value.AsSpan(range).Trim(' '), out var bytes))
            {
                _entries.RemoveRange(before, _entries.Count - before);
                return false;
            }

            _entries.Add(new MetadataEntry(normalized, bytes));
        }

        return true;
    }

    /// <summary>The last text under the key, or null when there is none.</summary>
    /// <exception cref="ArgumentException">The key ends in <c>-bin</c>.</exception>
    public string? GetValue(string key)
    {
        if (IsBinaryKey(key))
        {
            throw new ArgumentException($"The values of '{key}' are bytes.", nameof(key));
        }

        return Last(key) is { } entry ? entry.Value : null;
    }

    /// <summary>The last bytes under the key, or null when there are none.</summary>
    public byte[]? GetBytes(string key) => Last(key) is { } entry ? entry.Bytes : null;

    /// <summary>All entries of a key, in order.</summary>
    public IEnumerable<MetadataEntry> GetAll(string key)
    {
        foreach (var entry in _entries)
        {
            if (entry.Key.Equals(key, StringComparison.OrdinalIgnoreCase))
            {
                yield return entry;
            }
        }
    }

    /// <inheritdoc cref="IEnumerable{T}.GetEnumerator"/>
    public List<MetadataEntry>.Enumerator GetEnumerator() => _entries.GetEnumerator();

    IEnumerator<MetadataEntry> IEnumerable<MetadataEntry>.GetEnumerator() => _entries.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => _entries.GetEnumerator();

    /// <summary>Bytes as the wire carries them: base64 without padding.</summary>
    public static string EncodeBinary(ReadOnlySpan<byte> bytes) => Convert.ToBase64String(bytes).TrimEnd('=');

    /// <summary>Reads base64 with or without padding.</summary>
    /// <returns>False when the text is not base64.</returns>
    public static bool TryDecodeBinary(ReadOnlySpan<char> text, [NotNullWhen(true)] out byte[]? bytes)
    {
        bytes = null;
        text = text.TrimEnd('=');
        var padded = (text.Length + 3) & ~3;
        var rented = ArrayPool<byte>.Shared.Rent(padded);
        try
        {
            if (!Ascii.IsValid(text))
            {
                return false;
            }

            var length = Encoding.ASCII.GetBytes(text, rented);
            rented.AsSpan(length, padded - length).Fill((byte)'=');
            var status = Base64.DecodeFromUtf8InPlace(rented.AsSpan(0, padded), out var written);
            if (status != OperationStatus.Done)
            {
                return false;
            }

            bytes = rented.AsSpan(0, written).ToArray();
            return true;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    private static string NormalizeKey(string key) => TryNormalizeKey(key, out var normalized)
        ? normalized
        : throw new ArgumentException($"'{key}' is no metadata key: digits, letters, '_', '-' and '.' make one.",
            nameof(key));

    private static bool TryNormalizeKey(string key, out string normalized)
    {
        // Allocates only for upper case, which HTTP/2 does not carry.
        normalized = key.AsSpan().ContainsAnyInRange('A', 'Z') ? Lower(key) : key;
        return normalized.Length > 0 && !normalized.AsSpan().ContainsAnyExcept(KeyCharacters);
    }

    private static string Lower(string key) => string.Create(key.Length, key, static (target, source) =>
    {
        for (var i = 0; i < target.Length; i++)
        {
            target[i] = char.IsAsciiLetterUpper(source[i]) ? (char)(source[i] | 0x20) : source[i];
        }
    });

    private MetadataEntry? Last(string key)
    {
        for (var i = _entries.Count - 1; i >= 0; i--)
        {
            if (_entries[i].Key.Equals(key, StringComparison.OrdinalIgnoreCase))
            {
                return _entries[i];
            }
        }

        return null;
    }
}
