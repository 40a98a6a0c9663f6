using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Ingest.Decoding;

/// <summary>Text that JSON has as it is: ASCII without control characters, quotes and backslashes.</summary>
/// <remarks>Hot: a load and four comparisons for a short text.</remarks>
internal static class JsonPlainText
{
    private static readonly SearchValues<byte> s_plain = SearchValues.Create(
        [.. Enumerable.Range(' ', '~' - ' ' + 1).Select(c => (byte)c).Where(c => c is not ((byte)'"' or (byte)'\\'))]);

    /// <summary>Whether JSON has all of a text as it is.</summary>
    public static bool IsPlain(ReadOnlySpan<byte> text) => !text.ContainsAnyExcept(s_plain);

    /// <summary>
    /// Copies a text of at most 32 bytes to <paramref name="target"/>, 32 bytes of which may be written over, and of the
    /// source read; whether JSON has it as it is.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryCopyShort(ref byte source, int length, ref byte target)
    {
        Vector256<byte> bytes = Vector256.LoadUnsafe(ref source);
        bytes.StoreUnsafe(ref target);

        // As signed bytes, what is beyond ASCII is below the space too.
        Vector256<byte> special =
            Vector256.LessThan(bytes.AsSByte(), Vector256.Create((sbyte)' ')).AsByte()
            | Vector256.Equals(bytes, Vector256.Create((byte)0x7f))
            | Vector256.Equals(bytes, Vector256.Create((byte)'"'))
            | Vector256.Equals(bytes, Vector256.Create((byte)'\\'));
        return (special.ExtractMostSignificantBits() & (uint)((1UL << length) - 1)) == 0;
    }
}
