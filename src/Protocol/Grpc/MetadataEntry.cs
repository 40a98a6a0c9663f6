namespace Ingest.Protocol;

/// <summary>One entry of a <see cref="Metadata"/>: text, or bytes when the key ends in <c>-bin</c>.</summary>
public readonly struct MetadataEntry
{
    private readonly object _value;

    internal MetadataEntry(string key, object value)
    {
        Key = key;
        _value = value;
    }

    /// <summary>The key, in lower case.</summary>
    public string Key { get; }

    /// <summary>Whether the value is bytes.</summary>
    public bool IsBinary => _value is byte[];

    /// <summary>The text, or the base64 form of the bytes: what goes onto the wire.</summary>
    public string Value => _value as string ?? Metadata.EncodeBinary((byte[])_value);

    /// <summary>The bytes of a binary value.</summary>
    /// <exception cref="InvalidOperationException">The value is text.</exception>
    public byte[] Bytes => _value as byte[]
        ?? throw new InvalidOperationException($"The value of '{Key}' is text, not bytes.");

    /// <inheritdoc/>
    public override string ToString() => $"{Key}: {Value}";
}
