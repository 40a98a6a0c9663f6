using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Ingest.Log;

/// <summary>
/// Gives segments their ids: Unix milliseconds shifted left by 22, and random bits. Strictly increasing within a data
/// directory, also when the clock steps back, also over a restart: the highest id that was deleted is remembered on
/// disk before its segment goes, the others still stand there.
/// </summary>
internal sealed class SegmentIds : IDisposable
{
    private const int RandomBits = 22;
    private const int SlotBytes = 512; // A sector: a torn write spoils one slot of the two.
    private const int MarkBytes = sizeof(ulong) + sizeof(uint);

    private readonly Lock _gate = new();
    private readonly Lock _markGate = new(); // Held while the mark is flushed, for which no lane's next id waits.
    private readonly TimeProvider _time;
    private readonly ILogFile _file;
    private readonly byte[] _mark = new byte[MarkBytes];
    private ulong _last;
    private ulong _highestDeleted;
    private int _slot;

    private SegmentIds(TimeProvider time, ILogFile file)
    {
        _time = time;
        _file = file;
        Span<byte> slots = stackalloc byte[SlotBytes * 2];
        slots.Clear();
        file.Read(slots, 0);
        for (var slot = 0; slot < 2; slot++)
        {
            var bytes = slots.Slice(slot * SlotBytes, MarkBytes);
            var id = BinaryPrimitives.ReadUInt64LittleEndian(bytes);
            if (id > _highestDeleted
                && Checksum.Of(bytes[..sizeof(ulong)]) == BinaryPrimitives.ReadUInt32LittleEndian(bytes[sizeof(ulong)..]))
            {
                _highestDeleted = id;
                _slot = slot;
            }
        }

        _last = _highestDeleted;
    }

    /// <summary>Opens the file that remembers, or makes it.</summary>
    public static SegmentIds Open(ILogFiles disk, string path, TimeProvider time)
    {
        var file = disk.Exists(path) ? disk.Open(path) : disk.Create(path);
        try
        {
            // Also what a process that was killed had written and not flushed: it is relied on from here.
            file.Flush();
            disk.FlushDirectory(Path.GetDirectoryName(path)!);
            return new SegmentIds(time, file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>When a segment was opened, in Unix seconds.</summary>
    public static long UnixSecondsOf(ulong id) => (long)(id >> RandomBits) / 1000;

    /// <summary>When a segment was opened.</summary>
    public static DateTimeOffset TimeOf(ulong id) => DateTimeOffset.FromUnixTimeMilliseconds((long)(id >> RandomBits));

    /// <summary>
    /// The id under which rows of a segment come back that were set aside: of the same time, and following from them,
    /// so that the same rows come back under the same id however often they do.
    /// </summary>
    public static ulong Again(ulong id, uint checksum)
    {
        const ulong random = (1UL << RandomBits) - 1;
        ulong other = (id & ~random) | (checksum & random);
        return other == id ? other ^ 1 : other;
    }

    /// <summary>Takes note of an id that is in use.</summary>
    public void Observe(ulong id)
    {
        lock (_gate)
        {
            _last = Math.Max(_last, id);
        }
    }

    /// <summary>The highest id that is or was in use.</summary>
    public ulong Highest
    {
        get
        {
            lock (_gate)
            {
                return _last;
            }
        }
    }

    /// <summary>A new id, higher than all before.</summary>
    public ulong Next()
    {
        lock (_gate)
        {
            var now = (ulong)_time.GetUtcNow().ToUnixTimeMilliseconds() << RandomBits;
            var id = now | (uint)RandomNumberGenerator.GetInt32(1 << RandomBits);
            return _last = id > _last ? id : _last + 1;
        }
    }

    /// <summary>Remembers, durably, that a segment with this id existed. To be called before it is deleted.</summary>
    public void BeforeDelete(ulong id)
    {
        lock (_markGate)
        {
            if (id <= _highestDeleted)
            {
                return;
            }

            BinaryPrimitives.WriteUInt64LittleEndian(_mark, id);
            BinaryPrimitives.WriteUInt32LittleEndian(_mark.AsSpan(sizeof(ulong)), Checksum.Of(_mark.AsSpan(0, sizeof(ulong))));
            _slot ^= 1;
            _file.Write([_mark], _slot * SlotBytes);
            _file.Flush();
            _highestDeleted = id;
        }
    }

    public void Dispose() => _file.Dispose();
}
