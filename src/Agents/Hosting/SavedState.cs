using System.Security.Cryptography;
using Ingest.Feed;

namespace Ingest.Agents.Hosting;

/// <summary>A partition's state with the places in the log that it stands for.</summary>
/// <param name="StateVersion">The agent's version of <paramref name="State"/>.</param>
/// <param name="Partitions">Number of partitions; with another number keys are others'.</param>
/// <param name="SavedAt">When it was taken.</param>
/// <param name="Places">By table, where the agent goes on.</param>
/// <param name="State">What the agent wrote.</param>
internal sealed record SavedState(
    int StateVersion, int Partitions, DateTimeOffset SavedAt, IReadOnlyDictionary<string, BlockPlace> Places,
    ReadOnlyMemory<byte> State)
{
    private const uint Magic = 0x31474e41; // "ANG1"

    /// <summary>The bytes of the file: magic, SHA-256 of what follows, and the fields in order.</summary>
    public byte[] ToArray()
    {
        using var bytes = new MemoryStream();
        using var writer = new BinaryWriter(bytes);
        writer.Write(Magic);
        writer.Write(new byte[SHA256.HashSizeInBytes]);
        writer.Write(StateVersion);
        writer.Write(Partitions);
        writer.Write(SavedAt.ToUnixTimeMilliseconds());
        writer.Write(Places.Count);
        foreach ((string table, BlockPlace place) in Places)
        {
            writer.Write(table);
            writer.Write(place.SegmentId);
            writer.Write(place.Row);
        }

        writer.Write(State.Length);
        writer.Write(State.Span);
        writer.Flush();
        byte[] file = bytes.ToArray();
        SHA256.HashData(file.AsSpan(sizeof(uint) + SHA256.HashSizeInBytes), file.AsSpan(sizeof(uint)));
        return file;
    }

    /// <summary>Reads a file.</summary>
    /// <exception cref="InvalidDataException">It is damaged, or another kind of file.</exception>
    public static SavedState Parse(byte[] file)
    {
        int head = sizeof(uint) + SHA256.HashSizeInBytes;
        if (file.Length < head || BitConverter.ToUInt32(file) != Magic
            || !SHA256.HashData(file.AsSpan(head)).AsSpan()
                .SequenceEqual(file.AsSpan(sizeof(uint), SHA256.HashSizeInBytes)))
        {
            throw new InvalidDataException("the file is no state of an agent, or damaged");
        }

        using var reader = new BinaryReader(new MemoryStream(file, head, file.Length - head));
        int version = reader.ReadInt32();
        int partitions = reader.ReadInt32();
        DateTimeOffset savedAt = DateTimeOffset.FromUnixTimeMilliseconds(reader.ReadInt64());
        var places = new Dictionary<string, BlockPlace>(StringComparer.Ordinal);
        for (int count = reader.ReadInt32(); count > 0; count--)
        {
            places.Add(reader.ReadString(), new BlockPlace(reader.ReadUInt64(), reader.ReadInt64()));
        }

        return new SavedState(version, partitions, savedAt, places, reader.ReadBytes(reader.ReadInt32()));
    }
}
