using System.IO.Compression;
using Ingest.Topics;

namespace Ingest.Server.Realtime;

/// <summary>Compresses the part of a message that all connections share, once an update.</summary>
/// <remarks>
/// A compressed message is a row of deflate blocks, and no side keeps a window between messages. So the shared part,
/// flushed to a byte's end, is the same for every connection, and what is a connection's own follows as a stored block
/// (<see cref="WebSocketFrames"/>). Safe for use by several threads at once: two that want the same update at once wait
/// for one compression. Holds at most <see cref="Slots"/> updates of <see cref="MaxBytes"/>.
/// </remarks>
internal sealed class UpdateDeflate
{
    /// <summary>Shorter messages are sent as they are: there is little to gain.</summary>
    public const int MinBytes = 256;

    /// <summary>Longer ones too: they are rare, and would be held here.</summary>
    public const int MaxBytes = 16 * 1024;

    private const int Slots = 1024;

    private readonly Slot[] _slots = [.. Enumerable.Range(0, Slots).Select(_ => new Slot())];

    /// <summary>Whether an update is worth it, and short enough for a client's window.</summary>
    public static bool Fits(TopicUpdate update, int windowBits) =>
        update.Json.Length is >= MinBytes and <= MaxBytes
        && update.Json.Length + RealtimeMessages.EventStart.Length <= 1 << windowBits;

    /// <summary>The start of an update's message, compressed, up to the end of a byte.</summary>
    public byte[] Of(TopicUpdate update)
    {
        Slot slot = _slots[(update.Topic.GetHashCode(StringComparison.Ordinal) ^ (int)update.Offset) & (Slots - 1)];
        Compressed? held = Volatile.Read(ref slot.Held);
        return held is not null && ReferenceEquals(held.Update, update) ? held.Bytes : Compress(slot, update);
    }

    private static byte[] Compress(Slot slot, TopicUpdate update)
    {
        lock (slot)
        {
            if (slot.Held is { } held && ReferenceEquals(held.Update, update))
            {
                return held.Bytes;
            }

            using var compressed = new MemoryStream(update.Json.Length);
            using (var deflate = new DeflateStream(compressed, CompressionLevel.Fastest, leaveOpen: true))
            {
                deflate.Write(RealtimeMessages.EventStart);
                deflate.Write(update.Json.Span);

                // To a byte's end; what disposing adds behind it is left out.
                deflate.Flush();
                byte[] bytes = compressed.ToArray();
                Volatile.Write(ref slot.Held, new Compressed(update, bytes));
                return bytes;
            }
        }
    }

    private sealed class Slot
    {
        public Compressed? Held;
    }

    private sealed record Compressed(TopicUpdate Update, byte[] Bytes);
}
