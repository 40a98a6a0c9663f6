using System.Globalization;
using System.Text;

namespace Ingest.Tests.Log;

/// <summary>Reads numbers in the first column out of Native blocks that the log wrote; finds the blocks by its name.</summary>
internal static class NativeEvents
{
    public static List<long> ReadIds(ReadOnlySpan<byte> bytes, string column = "event_id")
    {
        // Every block begins with its number of columns and rows, then the first column's name and type.
        byte[] firstColumn = [(byte)column.Length, .. Encoding.UTF8.GetBytes(column), 6, .. "String"u8];
        var ids = new List<long>();
        for (var at = 0; at < bytes.Length;)
        {
            var header = bytes[at..].IndexOf(firstColumn);
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
            at += header + firstColumn.Length;
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
