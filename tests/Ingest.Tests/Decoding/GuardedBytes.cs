using System.Runtime.InteropServices;

namespace Ingest.Tests.Decoding;

/// <summary>
/// Bytes that lie right before a page that nobody may touch, or now and then right behind one: to read beyond them ends
/// the process. Elsewhere than on Linux a copy of their own.
/// </summary>
internal static unsafe partial class GuardedBytes
{
    private const int None = 0;
    private const int ReadAndWrite = 3;
    private const int PrivateAndAnonymous = 0x22;
    private const int LeastBytes = 1 << 16;
    private const int TurnsAtEnd = 3;

    [ThreadStatic]
    private static byte* t_first;

    [ThreadStatic]
    private static int t_length;

    [ThreadStatic]
    private static int t_turn;

    /// <summary>A copy of the bytes, until the thread asks for another.</summary>
    public static ReadOnlySpan<byte> Of(ReadOnlySpan<byte> bytes)
    {
        if (!OperatingSystem.IsLinux())
        {
            return bytes.ToArray();
        }

        if (bytes.Length > t_length)
        {
            Map(bytes.Length);
        }

        bool isAtStart = t_turn++ % (TurnsAtEnd + 1) == TurnsAtEnd;
        var place = new Span<byte>(isAtStart ? t_first : t_first + t_length - bytes.Length, bytes.Length);
        bytes.CopyTo(place);
        return place;
    }

    private static void Map(int bytes)
    {
        int page = Environment.SystemPageSize;
        if (t_length > 0)
        {
            Check(Unmap(t_first - page, (nuint)(t_length + (2 * page))));
        }

        t_length = Math.Max(LeastBytes, (bytes + page - 1) / page * page * 2);
        byte* all = Map(null, (nuint)(t_length + (2 * page)), ReadAndWrite, PrivateAndAnonymous, -1, 0);
        Check((nint)all == -1 ? -1 : 0);
        t_first = all + page;
        Check(Protect(all, (nuint)page, None));
        Check(Protect(t_first + t_length, (nuint)page, None));
    }

    private static void Check(int result) => Assert.True(result == 0, Marshal.GetLastPInvokeErrorMessage());

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial byte* Map(byte* at, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "munmap", SetLastError = true)]
    private static partial int Unmap(byte* at, nuint length);

    [LibraryImport("libc", EntryPoint = "mprotect", SetLastError = true)]
    private static partial int Protect(byte* at, nuint length, int protection);
}
