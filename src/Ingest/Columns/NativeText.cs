namespace Ingest.Columns;

/// <summary>A text in Native form: a varint length and the bytes.</summary>
internal static class NativeText
{
    /// <summary>The text of which length and bytes lie from <paramref name="start"/> to <paramref name="end"/>.</summary>
    public static ReadOnlySpan<byte> Before(ReadOnlySpan<byte> bytes, int start, int end)
    {
        while (bytes[start] >= 0x80)
        {
            start++;
        }

        return bytes[(start + 1)..end];
    }
}
