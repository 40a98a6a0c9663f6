using System.Globalization;
using Ingest.Server.Http2.Hpack;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace Ingest.Server.Http2;

/// <summary>Encodes the fields of a response into memory of the thread's own.</summary>
internal static class HeaderBlock
{
    private const int FirstBytes = 512;
    private const int MostKeptBytes = 16 * 1024;

    [ThreadStatic]
    private static byte[]? t_block;

    private static string s_date = "";
    private static long s_dateSecond;

    /// <summary>Encodes fields.</summary>
    /// <param name="status">The status; null: these are trailers.</param>
    /// <param name="fields">The fields.</param>
    /// <returns>The block, until the next one of this thread.</returns>
    /// <exception cref="InvalidOperationException">A name or a value has characters that it may not have.</exception>
    public static ReadOnlySpan<byte> Encode(int? status, IHeaderDictionary fields)
    {
        byte[] block = t_block ?? new byte[FirstBytes];
        int count = 0;
        if (status is { } code)
        {
            count = HpackEncoder.WriteStatus(code, block);
            if (!fields.ContainsKey(HeaderNames.Date))
            {
                Put(ref block, ref count, HeaderNames.Date, Date());
            }
        }

        if (fields is Http2Headers own)
        {
            foreach ((string name, StringValues values) in own.Fields)
            {
                Put(ref block, ref count, name, values);
            }
        }
        else
        {
            foreach ((string name, StringValues values) in fields)
            {
                Put(ref block, ref count, name, values);
            }
        }

        t_block = block.Length <= MostKeptBytes ? block : null;
        return block.AsSpan(0, count);
    }

    private static void Put(ref byte[] block, ref int count, string name, StringValues values)
    {
        for (int i = 0; i < values.Count; i++)
        {
            string value = values[i] ?? "";
            int most = HpackEncoder.MaxBytes(name, value);
            if (block.Length - count < most)
            {
                Array.Resize(ref block, Math.Max(2 * block.Length, count + most));
            }

            HpackEncoder.TryWrite(name, value, block.AsSpan(count), out int written);
            count += written;
        }
    }

    private static string Date()
    {
        long second = Environment.TickCount64 / 1000;
        if (Volatile.Read(ref s_dateSecond) != second)
        {
            Volatile.Write(ref s_date, DateTime.UtcNow.ToString("R", CultureInfo.InvariantCulture));
            Volatile.Write(ref s_dateSecond, second);
        }

        return Volatile.Read(ref s_date);
    }
}
