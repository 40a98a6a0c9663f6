using System.Text.Unicode;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Ingest.Tests.Decoding;

/// <summary>
/// Looks at bytes that Google.Protobuf has accepted for what it does not say: strings that are not UTF-8, which it
/// reads as U+FFFD, and the places where it takes what the specification refuses.
/// </summary>
internal sealed class WireWalk
{
    private readonly byte[] _bytes;

    private WireWalk(byte[] bytes) => _bytes = bytes;

    /// <summary>Whether a string, replaced later or not, is not UTF-8.</summary>
    public bool HasUnreadableText { get; private set; }

    /// <summary>
    /// Whether there is what only Google.Protobuf for C# takes: a packed list whose length is negative (it reads none),
    /// wire type 6 or 7 in an entry of a map (it reads on behind the tag).
    /// </summary>
    public bool HasLeniency { get; private set; }

    public static WireWalk Over(byte[] bytes, MessageDescriptor type)
    {
        var walk = new WireWalk(bytes);
        walk.Message(0, bytes.Length, type, isEntry: false);
        return walk;
    }

    private void Message(int at, int end, MessageDescriptor type, bool isEntry)
    {
        while (at < end && !HasLeniency)
        {
            var tag = (uint)Varint(ref at);
            var field = type.FindFieldByNumber((int)(tag >> 3));
            var wireType = tag & 7;
            if (wireType != 2 || field is null)
            {
                Skip(ref at, tag, isEntry);
                continue;
            }

            var length = (int)Varint(ref at);
            if (length < 0)
            {
                HasLeniency = true;
                return;
            }

            var last = at + length;
            if (field.FieldType == FieldType.String)
            {
                HasUnreadableText |= !Utf8.IsValid(_bytes.AsSpan(at, length));
            }
            else if (field.FieldType == FieldType.Message)
            {
                Message(at, last, field.MessageType, field.IsMap);
            }

            at = last;
        }
    }

    private void Skip(ref int at, uint tag, bool isEntry)
    {
        switch (tag & 7)
        {
            case 0:
                Varint(ref at);
                break;
            case 1:
                at += 8;
                break;
            case 2:
                var length = (int)Varint(ref at);
                at += length;
                break;
            case 3:
                while (true)
                {
                    var inner = (uint)Varint(ref at);
                    if ((inner & 7) == (uint)WireFormat.WireType.EndGroup)
                    {
                        break;
                    }

                    Skip(ref at, inner, isEntry);
                }

                break;
            case 5:
                at += 4;
                break;
            default:
                HasLeniency = true;
                Assert.True(isEntry, "Google.Protobuf refuses wire types 6 and 7 elsewhere");
                break;
        }
    }

    private ulong Varint(ref int at)
    {
        ulong value = 0;
        for (var shift = 0; ; shift += 7)
        {
            var current = _bytes[at++];
            value |= (ulong)(current & 0x7f) << shift;
            if (current < 0x80)
            {
                return value;
            }
        }
    }
}
