using System.Globalization;
using Google.Protobuf;
using Ingest.Columns;
using Ingest.Decoding;
using Ingest.Log;
using Ingest.Schema;
using Ingest.Stores;
using Ingest.Stores.Embedded;
using Ingest.Tests.Decoding;
using Ingest.Tests.Log;
using Ingest.V1;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ingest.Tests.Stores.Poison;

/// <summary>GPS points in a table and a log of their own, and an operator who forbids fast ones by a constraint.</summary>
internal sealed class PoisonedTable : IDisposable
{
    private static readonly TableSchema s_points = TableSchema.FromDescriptor(GpsPoint.Descriptor);
    private static int s_last;

    private readonly LogDirectory _directory = new();
    private readonly EngineConnection? _operator;
    private int _writes;

    public PoisonedTable(EngineFixture? engine, string? partitionBy = null)
    {
        string name = string.Create(CultureInfo.InvariantCulture, $"poisoned_{Interlocked.Increment(ref s_last)}");
        Schema = new TableSchema(
            name, GpsPoint.Descriptor, Columns(partitionBy is not null), s_points.OrderBy, partitionBy ?? s_points.PartitionBy, 0, s_points.Fields);
        _operator = engine is null
            ? null
            : EngineConnection.Open([$"--path={Path.Combine(engine.Directory, "store")}"]);
    }

    public TableSchema Schema { get; }

    public string DataPath => _directory.DataPath;

    public string Quarantine => _directory.QuarantinePath;

    public string LogPath => Path.Combine(_directory.DataPath, "log", Schema.Name);

    /// <summary>Runs a statement as an operator would.</summary>
    public void Run(string statement) => _operator!.Run(statement).Dispose();

    public void Forbid() => Run($"ALTER TABLE {Schema.Name} ADD CONSTRAINT slow CHECK speed_kph < 100");

    public void Allow() => Run($"ALTER TABLE {Schema.Name} DROP CONSTRAINT slow");

    /// <summary>
    /// Writes points of producer <c>van</c> (a later segment: <c>van 1</c> and so on) into one segment, blocks of so many;
    /// order ids are offsets. The bad ones are too fast.
    /// </summary>
    public async Task<SealedSegment> WriteAsync(int blocks, int rowsEach, params int[] bad)
    {
        SegmentLog log = await _directory.OpenAsync(tables: [Schema]);
        Lane lane = log.Lane(Schema);
        var decoder = new RowDecoder(Schema);
        var sink = new CountingSink();
        string producer = _writes++ == 0 ? "van" : $"van {_writes - 1}";
        TestSession session = sink.SessionOf(lane, producer);
        for (int block = 0; block < blocks; block++)
        {
            Batch batch = lane.Rent();
            for (int i = 0; i < rowsEach; i++)
            {
                int offset = (block * rowsEach) + i;
                GpsPoint point = Rows.Point(offset);
                point.OrderId = offset.ToString(CultureInfo.InvariantCulture);
                point.SpeedKph = bad.Contains(offset) ? 150 : 50;
                point.ZoneType = bad.Contains(offset) ? "racetrack" : "business_district";
                Assert.Equal(RowResult.Accepted, decoder.TryAppend(point.ToByteArray(), batch, Rows.Now, out _));
            }

            batch.AddEntry(new BatchEntry(session, producer, 1, block * rowsEach, rowsEach, 0, rowsEach));
            lane.Return(batch);
            await sink.CommittedAsync((block + 1) * rowsEach);
        }

        return Assert.Single(await LogDirectory.StopAsync(log));
    }

    /// <summary>Opens the log again, as after a kill, and gives what it recovered.</summary>
    public async Task<List<SealedSegment>> RecoverAsync() =>
        await LogDirectory.StopAsync(await _directory.OpenAsync(tables: [Schema]));

    /// <summary>Feeds segments to a store until they are done, and deletes them as the log would.</summary>
    public async Task<StoreWriterStatus> StoreAsync(IStore store, int maxInserts = 500, params SealedSegment[] segments)
    {
        var sealedSegments = System.Threading.Channels.Channel.CreateUnbounded<SealedSegment>();
        await using StoreWriter writer = NewWriter(store, sealedSegments.Reader, maxInserts);
        writer.Start();
        foreach (SealedSegment segment in segments)
        {
            await sealedSegments.Writer.WriteAsync(segment);
        }

        sealedSegments.Writer.Complete();
        await writer.StopAsync(TimeSpan.FromSeconds(120)).WaitAsync(TimeSpan.FromSeconds(120));
        return writer.Status;
    }

    public StoreWriter NewWriter(
        IStore store, System.Threading.Channels.ChannelReader<SealedSegment> segments, int maxInserts = 500) => new(
        store, segments, Release, Quarantine,
        new StoreOptions { RetryDelay = TimeSpan.FromMilliseconds(1), MaxBisectionInserts = maxInserts },
        NullLogger.Instance, TimeProvider.System);

    /// <summary>Count, distinct count and sum of the order ids that a store has.</summary>
    public Task<string> SummaryAsync(IStore store) => store.TextAsync(
        $"SELECT count(), uniqExact(order_id), sum(toUInt64(order_id)) FROM {Schema.Name}");

    /// <summary>What <see cref="SummaryAsync"/> says of so many rows without some.</summary>
    public static string Summary(int rows, params int[] without)
    {
        long[] there = [.. Enumerable.Range(0, rows).Except(without).Select(i => (long)i)];
        return string.Create(CultureInfo.InvariantCulture, $"{there.Length}\t{there.Length}\t{there.Sum()}\n");
    }

    /// <summary>Offsets of the table's dead letters.</summary>
    public async Task<int[]> LettersAsync(IStore store) =>
    [
        .. (await store.TextAsync(
                $"SELECT producer_offset FROM dead_letters WHERE table = '{Schema.Name}' ORDER BY producer_offset"))
            .Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => int.Parse(line, CultureInfo.InvariantCulture)),
    ];

    public void Dispose()
    {
        _operator?.Dispose();
        _directory.Dispose();
    }

    private static List<ColumnSchema> Columns(bool hasSegmentRows)
    {
        List<ColumnSchema> columns = [.. s_points.Columns];
        if (hasSegmentRows)
        {
            columns.Insert(columns.FindIndex(column => column.Name == TableSchema.ProducerIdColumn), new ColumnSchema(
                TableSchema.SegmentRowColumn, "UInt32", "T64, LZ4", "", "UInt32"));
        }

        return columns;
    }

    private void Release(SealedSegment segment)
    {
        if (SegmentFiles.TryParse(segment.Path, out SegmentFiles? files))
        {
            files!.Delete(DiskFiles.Instance);
        }
    }
}
