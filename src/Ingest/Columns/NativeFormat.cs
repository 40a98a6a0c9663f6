namespace Ingest.Columns;

/// <summary>Constants and the varint of ClickHouse's Native format, revision 0.</summary>
internal static class NativeFormat
{
    /// <summary>Longest varint: a 64-bit number in groups of seven bits.</summary>
    public const int MaxVarintBytes = 10;

    /// <summary>LowCardinality, state prefix: shared dictionaries with additional keys.</summary>
    public const ulong SharedDictionariesWithAdditionalKeys = 1;

    /// <summary>LowCardinality, flag of the index type: keys follow in the block.</summary>
    public const ulong HasAdditionalKeys = 1 << 9;

    /// <summary>LowCardinality, index type: UInt8.</summary>
    public const ulong IndexUInt8 = 0;

    /// <summary>LowCardinality, index type: UInt16.</summary>
    public const ulong IndexUInt16 = 1;

    /// <summary>LowCardinality, index type: UInt32.</summary>
    public const ulong IndexUInt32 = 2;

    /// <summary>Writes a varint and returns its length; the target has room for <see cref="MaxVarintBytes"/>.</summary>
    public static int WriteVarint(Span<byte> target, ulong value)
    {
        int length = 0;
        while (value >= 0x80)
        {
            target[length++] = (byte)(value | 0x80);
            value >>= 7;
        }

        target[length++] = (byte)value;
        return length;
    }
}
