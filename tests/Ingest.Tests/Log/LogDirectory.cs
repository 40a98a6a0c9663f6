using Ingest.Columns;
using Ingest.Decoding;
using Ingest.Log;
using Ingest.Schema;
using Ingest.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ingest.Tests.Log;

/// <summary>A data directory of its own, rows to put into its log, and a look at what is in it.</summary>
internal sealed class LogDirectory : IDisposable
{
    public LogDirectory() => DataPath = Directory.CreateTempSubdirectory("ingest-log-").FullName;

    public static TableSchema Events { get; } = TableSchema.FromDescriptor(Event.Descriptor);

    private static readonly RowDecoder s_decoder = new(Events);

    public string DataPath { get; }

    public string TablePath => Path.Combine(DataPath, "log", Events.Name);

    public string QuarantinePath => Path.Combine(DataPath, "quarantine");

    /// <summary>Settings under which nothing is sealed before it is asked for.</summary>
    public LogOptions Options => new()
    {
        DataDirectory = DataPath,
        SegmentAge = TimeSpan.FromHours(1),
        MaxSegmentAge = TimeSpan.FromHours(1),
    };

    public Task<SegmentLog> OpenAsync(
        LogOptions? options = null, ILogFiles? disk = null, TimeProvider? time = null,
        IReadOnlyCollection<TableSchema>? tables = null) =>
        SegmentLog.OpenAsync(
            options ?? Options, tables ?? [Events], NullLogger.Instance, time ?? TimeProvider.System,
            disk ?? DiskFiles.Instance, default);

    /// <summary>Appends events whose ids are numbers, as one message of one sender.</summary>
    public static void Append(
        Lane lane, AppendSink sink, long first, int count, string producer = "", int rejected = 0, int padding = 0)
    {
        if (producer.Length > 0 && sink is CountingSink counting)
        {
            sink = counting.SessionOf(lane, producer);
        }

        producer = sink is ProducerSession session ? session.ProducerId : producer;

        var batch = lane.Rent();
        Fill(batch, sink, first, count, producer, rejected, padding);
        lane.Return(batch);
    }

    public static void Fill(
        Batch batch, AppendSink sink, long first, int count, string producer = "", int rejected = 0, int padding = 0)
    {
        var firstRow = batch.RowCount;
        var message = new Event
        {
            EventType = "tick",
            EntityType = "test",
            EntityId = "x",
            Timestamp = Timestamp.FromDateTime(DateTime.UnixEpoch.AddYears(50)),
        };
        if (padding > 0)
        {
            message.Properties = new Struct { Fields = { ["padding"] = Value.ForString(new string('x', padding)) } };
        }

        for (var i = 0; i < count; i++)
        {
            message.EventId = (first + i).ToString(System.Globalization.CultureInfo.InvariantCulture);
            var result = s_decoder.TryAppend(message.ToByteArray(), batch, nowSeconds: 2_000_000_000, out var fault);
            Assert.True(result == RowResult.Accepted, fault.ToString());
        }

        var epoch = (sink as ProducerSession)?.Epoch ?? 1;
        batch.AddEntry(new BatchEntry(sink, producer, epoch, first, count + rejected, firstRow, count));
    }

    /// <summary>The numbers of the events in a data file, in its order.</summary>
    public static List<long> ReadIds(string path) => NativeEvents.ReadIds(File.ReadAllBytes(path));

    /// <summary>All sealed segments of a stopped log.</summary>
    public static async Task<List<SealedSegment>> StopAsync(SegmentLog log)
    {
        await log.StopAsync();
        var segments = new List<SealedSegment>();
        await foreach (var segment in log.Sealed.ReadAllAsync())
        {
            segments.Add(segment);
        }

        await log.DisposeAsync();
        return segments;
    }

    /// <summary>Opens the log, stops it and gives what it recovered.</summary>
    public async Task<(RecoveryReport Report, List<SealedSegment> Segments)> RecoverAsync()
    {
        var log = await OpenAsync();
        return (log.Recovery, await StopAsync(log));
    }

    public string Single(string extension) => Assert.Single(Directory.GetFiles(TablePath, "*" + extension));

    public string[] Quarantined(string extension) => Directory.Exists(QuarantinePath)
        ? [.. Directory.GetFiles(QuarantinePath, "*" + extension).Order()]
        : [];

    public void Dispose() => Directory.Delete(DataPath, recursive: true);
}
