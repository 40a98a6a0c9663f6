using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace Ingest.Server.Http2;

/// <summary>The fields of a request or response: a list, since a call has eight of them.</summary>
/// <remarks>Not safe for use by several threads at once.</remarks>
internal sealed class Http2Headers : IHeaderDictionary
{
    private const int FirstCapacity = 4;

    private KeyValuePair<string, StringValues>[] _fields = [];

    /// <inheritdoc/>
    public int Count { get; private set; }

    /// <summary>Whether they are sent already, or came from the client.</summary>
    public bool IsReadOnly { get; set; }

    /// <inheritdoc/>
    public ICollection<string> Keys => [.. Fields.ToArray().Select(pair => pair.Key)];

    /// <inheritdoc/>
    public ICollection<StringValues> Values => [.. Fields.ToArray().Select(pair => pair.Value)];

    /// <inheritdoc/>
    public long? ContentLength
    {
        get => long.TryParse(this[HeaderNames.ContentLength], NumberStyles.None, CultureInfo.InvariantCulture, out long length)
            ? length
            : null;
        set => this[HeaderNames.ContentLength] = value is { } length
            ? length.ToString(CultureInfo.InvariantCulture)
            : StringValues.Empty;
    }

    /// <summary>The fields, in the order in which they came.</summary>
    public ReadOnlySpan<KeyValuePair<string, StringValues>> Fields => _fields.AsSpan(0, Count);

    /// <inheritdoc/>
    public StringValues this[string key]
    {
        get => Find(key) is var index and >= 0 ? _fields[index].Value : StringValues.Empty;
        set
        {
            ThrowIfReadOnly();
            int index = Find(key);
            if (value.Count == 0)
            {
                if (index >= 0)
                {
                    RemoveAt(index);
                }
            }
            else if (index >= 0)
            {
                _fields[index] = new(key, value);
            }
            else
            {
                Append(key, value);
            }
        }
    }

    StringValues IDictionary<string, StringValues>.this[string key]
    {
        get => TryGetValue(key, out StringValues value) ? value : throw new KeyNotFoundException();
        set => this[key] = value;
    }

    /// <summary>Adds a value that came; one of a field that is there already is put behind.</summary>
    public void Add(string name, string value)
    {
        int index = Find(name);
        if (index >= 0)
        {
            _fields[index] = new(name, StringValues.Concat(_fields[index].Value, value));
        }
        else
        {
            Append(name, value);
        }
    }

    /// <summary>Sets <c>host</c> to what <c>:authority</c> says, which goes before (RFC 9113, 8.3.1).</summary>
    public void Host(string authority)
    {
        int index = Find(HeaderNames.Host);
        if (index >= 0)
        {
            _fields[index] = new(HeaderNames.Host, authority);
        }
        else
        {
            Append(HeaderNames.Host, authority);
        }
    }

    /// <summary>Adds a cookie that came; several are one field (RFC 9113, 8.2.3).</summary>
    public void Join(string name, string value)
    {
        int index = Find(name);
        if (index >= 0)
        {
            _fields[index] = new(name, $"{_fields[index].Value}; {value}");
        }
        else
        {
            Append(name, value);
        }
    }

    /// <inheritdoc/>
    public bool TryGetValue(string key, out StringValues value)
    {
        int index = Find(key);
        value = index >= 0 ? _fields[index].Value : StringValues.Empty;
        return index >= 0;
    }

    /// <inheritdoc/>
    public bool ContainsKey(string key) => Find(key) >= 0;

    /// <inheritdoc/>
    public void Add(string key, StringValues value)
    {
        ThrowIfReadOnly();
        if (Find(key) >= 0)
        {
            throw new ArgumentException($"There is a field {key} already.", nameof(key));
        }

        Append(key, value);
    }

    /// <inheritdoc/>
    public bool Remove(string key)
    {
        ThrowIfReadOnly();
        int index = Find(key);
        if (index >= 0)
        {
            RemoveAt(index);
        }

        return index >= 0;
    }

    /// <inheritdoc/>
    public void Clear()
    {
        ThrowIfReadOnly();
        _fields = [];
        Count = 0;
    }

    /// <inheritdoc/>
    public void Add(KeyValuePair<string, StringValues> item) => Add(item.Key, item.Value);

    /// <inheritdoc/>
    public bool Contains(KeyValuePair<string, StringValues> item) =>
        TryGetValue(item.Key, out StringValues value) && value == item.Value;

    /// <inheritdoc/>
    public bool Remove(KeyValuePair<string, StringValues> item) => Contains(item) && Remove(item.Key);

    /// <inheritdoc/>
    public void CopyTo(KeyValuePair<string, StringValues>[] array, int arrayIndex) => Fields.CopyTo(array.AsSpan(arrayIndex));

    /// <inheritdoc/>
    public IEnumerator<KeyValuePair<string, StringValues>> GetEnumerator()
    {
        for (int i = 0; i < Count; i++)
        {
            yield return _fields[i];
        }
    }

    /// <inheritdoc/>
    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private int Find(string name)
    {
        ReadOnlySpan<KeyValuePair<string, StringValues>> fields = Fields;
        for (int i = 0; i < fields.Length; i++)
        {
            string other = fields[i].Key;
            if (ReferenceEquals(other, name)
                || (other.Length == name.Length && other.Equals(name, StringComparison.OrdinalIgnoreCase)))
            {
                return i;
            }
        }

        return -1;
    }

    private void Append(string name, StringValues value)
    {
        if (Count == _fields.Length)
        {
            Array.Resize(ref _fields, Count == 0 ? FirstCapacity : 2 * Count);
        }

        _fields[Count++] = new(name, value);
    }

    private void RemoveAt(int index)
    {
        Count--;
        _fields.AsSpan(index + 1, Count - index).CopyTo(_fields.AsSpan(index));
        _fields[Count] = default;
    }

    private void ThrowIfReadOnly()
    {
        if (IsReadOnly)
        {
            ThrowReadOnly();
        }
    }

    [DoesNotReturn]
    private static void ThrowReadOnly() => throw new InvalidOperationException("The fields are sent already.");
}
