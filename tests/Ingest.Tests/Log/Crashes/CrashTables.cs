using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Ingest.Columns;
using Ingest.Decoding;
using Ingest.Log;
using Ingest.Schema;
using Ingest.V1;

namespace Ingest.Tests.Log.Crashes;

/// <summary>Two tables, and rows for them that say whose they are: producer and offset, in the first column.</summary>
internal static class CrashTables
{
    /// <summary>Rows of senders without an id are numbered from here.</summary>
    public const long FirstAnonymousRow = 900_000_000;

    private const long RowsPerProducer = 10_000_000;

    public static TableSchema[] All { get; } =
        [TableSchema.FromDescriptor(Event.Descriptor), TableSchema.FromDescriptor(Order.Descriptor)];

    private static readonly RowDecoder[] s_decoders = [.. All.Select(table => new RowDecoder(table))];

    public static string FirstColumn(TableSchema table) => table.Columns[0].Name;

    /// <summary>The number that stands in a row of a producer.</summary>
    public static long RowAt(int producer, long offset) => (producer * RowsPerProducer) + offset;

    /// <summary>Some offsets of every producer are rejected rows: they count, and no row stands for them.</summary>
    public static bool IsRejected(long offset) => offset % 13 == 7;

    /// <summary>Numbers of the rows that a producer's offsets below an end stand for.</summary>
    public static IEnumerable<long> RowsBelow(int producer, long end)
    {
        for (long offset = 0; offset < end; offset++)
        {
            if (!IsRejected(offset))
            {
                yield return RowAt(producer, offset);
            }
        }
    }

    /// <summary>Gives a lane a run of offsets of a producer, as one message.</summary>
    public static void Append(Lane lane, ProducerSession session, int producer, long first, int count)
    {
        var batch = lane.Rent();
        for (var offset = first; offset < first + count;)
        {
            var rejected = IsRejected(offset);
            var (start, firstRow) = (offset, batch.RowCount);
            for (; offset < first + count && IsRejected(offset) == rejected; offset++)
            {
                if (!rejected)
                {
                    Fill(lane.Table, batch, RowAt(producer, offset));
                }
            }

            batch.AddEntry(new BatchEntry(
                session, session.ProducerId, session.Epoch, start, (int)(offset - start), firstRow,
                batch.RowCount - firstRow));
        }

        lane.Return(batch);
    }

    /// <summary>Gives a lane a row of a sender without an id.</summary>
    public static void Append(Lane lane, AppendSink sink, long row)
    {
        var batch = lane.Rent();
        var firstRow = batch.RowCount;
        Fill(lane.Table, batch, row);
        batch.AddEntry(new BatchEntry(sink, "", 0, row, 1, firstRow, 1));
        lane.Return(batch);
    }

    private static void Fill(TableSchema table, Batch batch, long row)
    {
        var id = row.ToString(System.Globalization.CultureInfo.InvariantCulture);
        var time = Timestamp.FromDateTime(DateTime.UnixEpoch.AddYears(50));
        var number = Array.FindIndex(All, known => known.Name == table.Name);
        IMessage message = number == 0
            ? new Event
            {
                EventId = id,
                EventType = new string('x', 1 + ((int)(row % 7) * 42)),
                EntityType = "test",
                EntityId = "x",
                Timestamp = time,
            }
            : new Order { OrderId = id, PlacedAt = time };
        var result = s_decoders[number].TryAppend(message.ToByteArray(), batch, nowSeconds: 2_000_000_000, out var fault);
        Assert.True(result == RowResult.Accepted, fault.ToString());
    }
}
