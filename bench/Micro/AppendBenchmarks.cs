using System.Buffers.Binary;
using BenchmarkDotNet.Attributes;
using Google.Protobuf;
using Ingest.Columns;
using Ingest.Decoding;
using Ingest.Log;
using Ingest.Schema;
using Ingest.V1;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ingest.Micro;

/// <summary>
/// GPS points made durable, in groups of nine requests of 1,000: through the log, which decodes and checks them,
/// builds blocks, and knows of each block its checksum and its senders; and as one would without it, a file with each
/// request's length and bytes, flushed to the disk once a group.
/// </summary>
[MemoryDiagnoser]
public class AppendBenchmarks
{
    // Nine, so that a batch is full and closes by itself: nothing lingers.
    private const int RequestsOfGroup = 9;
    private const int Rows = RequestsOfGroup * Requests.Rows;
    private const int GroupsUnderWay = 16;
    private const long FileBytes = 64L << 20;

    private readonly string _directory = Directory.CreateTempSubdirectory("ingest-append-").FullName;
    private readonly byte[] _request = Requests.Points().ToByteArray();
    private readonly TableSchema _table = TableSchema.FromDescriptor(GpsPoint.Descriptor);
    private readonly Group _group = new();
    private readonly List<RejectedRow> _rejected = [];
    private RequestDecoder _decoder = null!;
    private SegmentLog _log = null!;
    private Lane _lane = null!;
    private Task _released = Task.CompletedTask;
    private FileStream _file = null!;

    /// <summary>Opens both; what the log seals is released at once, as by a store that is never slow.</summary>
    [GlobalSetup]
    public void Open()
    {
        _decoder = new RequestDecoder(new RowDecoder(_table));
        var options = new LogOptions { DataDirectory = Path.Combine(_directory, "log") };
        _log = SegmentLog.OpenAsync(options, [_table], NullLogger.Instance).GetAwaiter().GetResult();
        _lane = _log.Lane(_table);
        _released = ReleaseAsync(_log);
        _file = new FileStream(Path.Combine(_directory, "file"), FileMode.Create);
    }

    /// <summary>Closes both.</summary>
    [GlobalCleanup]
    public void Close()
    {
        _log.DisposeAsync().AsTask().GetAwaiter().GetResult();
        _released.GetAwaiter().GetResult();
        _file.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    /// <summary>A file of requests, each group flushed to the disk before the next.</summary>
    [Benchmark(Baseline = true, OperationsPerInvoke = Rows)]
    public long File()
    {
        WriteRequests();
        _file.Flush(flushToDisk: true);
        return _file.Position;
    }

    /// <summary>The log, each group awaited before the next.</summary>
    [Benchmark(OperationsPerInvoke = Rows)]
    public async Task Log()
    {
        Task durable = _group.Begin(Rows);
        Append();
        await durable;
    }

    /// <summary>A file of requests, flushed once for sixteen groups.</summary>
    [Benchmark(OperationsPerInvoke = Rows * GroupsUnderWay)]
    public long FileOf16Groups()
    {
        for (int i = 0; i < GroupsUnderWay; i++)
        {
            WriteRequests();
        }

        _file.Flush(flushToDisk: true);
        return _file.Position;
    }

    /// <summary>The log, sixteen groups under way.</summary>
    [Benchmark(OperationsPerInvoke = Rows * GroupsUnderWay)]
    public async Task LogOf16Groups()
    {
        Task durable = _group.Begin(Rows * GroupsUnderWay);
        for (int i = 0; i < GroupsUnderWay; i++)
        {
            await _lane.WaitForRoomAsync();
            Append();
        }

        await durable;
    }

    private static async Task ReleaseAsync(SegmentLog log)
    {
        await foreach (SealedSegment segment in log.Sealed.ReadAllAsync())
        {
            log.Release(segment);
        }
    }

    private void WriteRequests()
    {
        if (_file.Position > FileBytes)
        {
            _file.SetLength(0);
        }

        Span<byte> length = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(length, _request.Length);
        for (int i = 0; i < RequestsOfGroup; i++)
        {
            _file.Write(length);
            _file.Write(_request);
        }
    }

    private void Append()
    {
        Batch batch = _lane.Rent();
        int first = batch.RowCount;
        for (int i = 0; i < RequestsOfGroup; i++)
        {
            _rejected.Clear();
            if (_decoder.TryAppend(_request, batch, Requests.NowSeconds, _rejected) != RequestResult.Decoded)
            {
                throw new InvalidOperationException("the rows are good");
            }
        }

        batch.AddEntry(new BatchEntry(_group, "", 0, 0, Rows, first, Rows));
        _lane.Return(batch);
    }
}
