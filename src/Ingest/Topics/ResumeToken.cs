using System.Buffers.Binary;
using System.Buffers.Text;
using System.Text;

namespace Ingest.Topics;

/// <summary>
/// The cursor of a subscription as text, the same on every transport: base64url of a version, and of each topic its
/// name, epoch and offset.
/// </summary>
/// <remarks>
/// <c>version:1 count:2 (length:1 name pad* epoch:6 offset:6)*</c>, numbers with the highest byte first; the name is
/// padded with zeros so that the offset begins at a multiple of three bytes. So an offset is eight characters at a
/// place of its own, and going on by an update is writing these eight: a cursor keeps its token up to date at no cost
/// that grows with the topics.
/// </remarks>
internal sealed class ResumeToken
{
    private const byte Version = 1;
    private const int HeadBytes = 3;
    private const int EpochBytes = 6;
    private const int OffsetBytes = 6;
    private const int OffsetChars = 8;

    private static ReadOnlySpan<byte> Alphabet => "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"u8;

    private readonly byte[] _text;
    private readonly int[] _places;

    /// <summary>Makes the token of cursors.</summary>
    public ResumeToken(IReadOnlyList<TopicPlace> places)
    {
        _places = new int[places.Count];
        var bytes = new byte[HeadBytes + places.Sum(place => EntryBytes(place.Topic))];
        bytes[0] = Version;
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(1), (ushort)places.Count);
        int at = HeadBytes;
        for (int i = 0; i < places.Count; i++)
        {
            bytes[at] = (byte)places[i].Topic.Length;
            Encoding.ASCII.GetBytes(places[i].Topic, bytes.AsSpan(at + 1));
            at += EntryBytes(places[i].Topic);
            Convert.FromHexString(places[i].Epoch, bytes.AsSpan(at - OffsetBytes - EpochBytes), out _, out _);
            _places[i] = (at - OffsetBytes) / 3 * 4;
        }

        _text = Encoding.ASCII.GetBytes(Base64Url.EncodeToString(bytes));
        for (int i = 0; i < places.Count; i++)
        {
            Set(i, places[i].Offset);
        }
    }

    /// <summary>The text, in UTF-8.</summary>
    public ReadOnlySpan<byte> Text => _text;

    /// <summary>Puts another offset in the place of a topic's.</summary>
    /// <param name="index">Place of the topic among those that the token was made of.</param>
    /// <param name="offset">The offset.</param>
    public void Set(int index, long offset)
    {
        Span<byte> text = _text.AsSpan(_places[index], OffsetChars);
        for (int i = OffsetChars - 1; i >= 0; i--)
        {
            text[i] = Alphabet[(int)(offset & 63)];
            offset >>= 6;
        }
    }

    /// <summary>Reads a token.</summary>
    /// <param name="token">Its text.</param>
    /// <param name="field">Path of the field that it stands in.</param>
    /// <exception cref="TopicException">It is none of this server's.</exception>
    public static IReadOnlyList<TopicPlace> Parse(string token, string field)
    {
        byte[] bytes;
        try
        {
            bytes = Base64Url.DecodeFromChars(token);
        }
        catch (FormatException)
        {
            throw Unreadable(field);
        }

        if (bytes.Length < HeadBytes || bytes[0] != Version)
        {
            throw Unreadable(field);
        }

        int count = BinaryPrimitives.ReadUInt16BigEndian(bytes.AsSpan(1));
        var places = new List<TopicPlace>();
        int at = HeadBytes;
        for (int i = 0; i < count; i++)
        {
            int length = at < bytes.Length ? bytes[at] : 0;
            int end = at + EntryBytes(length);
            string name = length > 0 && end <= bytes.Length ? Encoding.ASCII.GetString(bytes, at + 1, length) : "";
            if (!TopicPattern.IsName(name))
            {
                throw Unreadable(field);
            }

            string epoch = Convert.ToHexStringLower(bytes, end - OffsetBytes - EpochBytes, EpochBytes);
            long offset = ((long)BinaryPrimitives.ReadUInt16BigEndian(bytes.AsSpan(end - OffsetBytes)) << 32)
                | BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(end - OffsetBytes + 2));
            places.Add(new TopicPlace(name, epoch, offset));
            at = end;
        }

        return at == bytes.Length && places.DistinctBy(place => place.Topic).Count() == count
            ? places
            : throw Unreadable(field);
    }

    private static int EntryBytes(string name) => EntryBytes(name.Length);

    private static int EntryBytes(int nameLength) => ((1 + nameLength + 2) / 3 * 3) + EpochBytes + OffsetBytes;

    private static TopicException Unreadable(string field) =>
        new(field, "The resume token is none that this server gave.");
}
