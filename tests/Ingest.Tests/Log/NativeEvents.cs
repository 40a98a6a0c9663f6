using System.Globalization;
using System.Text;

namespace Ingest.Tests.Log;

/// <summary>Reads the event_id column, the first, out of Native blocks that the log wrote; finds the blocks by it.</summary>
internal static class NativeEvents
{
    // Every block begins with its number of columns and rows, then the first column's name and type.
    private static readonly byte[] s_firstColumn = [8, .. "event_id"u8, 6, .. "String"u8];

    public static List<long> ReadIds(ReadOnlySpan<byte> bytes)
    {
        var ids = new List<long>();
        for (var at = 0; at < bytes.Length;)
        {
            var header = bytes[at..].IndexOf(s_firstColumn);
            if (header < 0)
            {
                break;
            }

            // A varint ends with a byte below 128, and so does the one before it.
            var count = at + header - 1;
            while (count > at && bytes[count - 1] >= 128)
            {
                count--;
            }

            var rows = ReadVarint(bytes, ref count);
            at += header + s_firstColumn.Length;
            for (var row = 0; row < rows; row++)
            {
                var length = ReadVarint(bytes, ref at);
                ids.Add(long.Parse(Encoding.ASCII.GetString(bytes.Slice(at, length)), CultureInfo.InvariantCulture));
                at += length;
            }
        }

        return ids;
    }

    private static int ReadVarint(ReadOnlySpan<byte> bytes, ref int at)
    {
        var value = 0;
        for (var shift = 0; ; shift += 7)
        {
            var b = bytes[at++];
            value |= (b & 0x7f) << shift;
            if (b < 128)
            {
                return value;
            }
        }
    }
}
