using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text.Unicode;
using Ingest.Schema;

namespace Ingest.Decoding;

/// <summary>
/// Checks a message all the way down before anything is made of it, so that what is replaced later, the value of a
/// map's key that comes again or the first member of a oneof, is held to the same rules as what stays.
/// </summary>
/// <remarks>Hot: one pass over the bytes; allocates nothing.</remarks>
internal static class WireCheck
{
    /// <summary>Whether the bytes are a message of the type.</summary>
    /// <param name="source">The row.</param>
    /// <param name="at">Where the message begins.</param>
    /// <param name="end">Where it ends.</param>
    /// <param name="type">The type.</param>
    /// <param name="depth">How deep the message lies; the request is 0.</param>
    /// <param name="isText">Becomes false when a string is not UTF-8.</param>
    public static bool IsMessage(
        ref byte source, int at, int end, MessageLayout type, int depth, ref bool isText)
    {
        while (at < end)
        {
            at = Wire.ReadTag(ref source, at, end, out uint tag);
            if (at < 0)
            {
                return false;
            }

            FieldLayout? field = type.Find(tag);
            if (field is null || (tag & 7) != Wire.Len)
            {
                at = Wire.Skip(ref source, at, end, tag, depth);
                if (at < 0)
                {
                    return false;
                }

                continue;
            }

            at = Wire.ReadLength(ref source, at, end, out int length);
            if (at < 0 || !IsValue(ref source, at, at + length, field, depth, ref isText))
            {
                return false;
            }

            at += length;
        }

        return true;
    }

    /// <summary>
    /// Whether the bytes are what a field with a length holds: a message, text, bytes or a packed list.
    /// </summary>
    public static bool IsValue(
        ref byte source, int at, int end, FieldLayout field, int depth, ref bool isText)
    {
        if (field.Message is { } message)
        {
            return depth < Wire.MaxDepth && IsMessage(ref source, at, end, message, depth + 1, ref isText);
        }

        if (field.Kind == ValueKind.String)
        {
            isText &= Utf8.IsValid(MemoryMarshal.CreateReadOnlySpan(ref Unsafe.Add(ref source, at), end - at));
            return true;
        }

        if (field.WireType != Wire.Len)
        {
            while (at >= 0 && at < end)
            {
                at = Wire.Skip(ref source, at, end, field.WireType, depth);
            }
        }

        return at >= 0;
    }
}
