using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Ingest.Admission;
using Ingest.Columns;
using Ingest.Decoding;
using Ingest.Log;
using Ingest.Schema;
using Ingest.Tests.Log;
using Ingest.V1;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ingest.Tests;

/// <summary>A producer's rows from its requests into the log, rejected ones among them.</summary>
public sealed class ProducerStreamTests : IDisposable
{
    private static readonly TableSchema s_letters = TableSchema.FromDescriptor(DeadLetter.Descriptor);

    private readonly LogDirectory _directory = new();
    private readonly RecordingFiles _disk = new();
    private readonly AppendDecoder _decoder = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData(1, 20_000)]
    [InlineData(5, 3_000)]
    public async Task A_producer_whose_good_and_bad_rows_alternate_gets_through(int requests, int rows)
    {
        using var go = new ManualResetEventSlim();
        SegmentLog log = await OpenAsync();
        ProducerStream stream = Open(log, "p", out AdmissionControl admission);
        using (admission)
        {
            Assert.Equal(0, (await stream.OpenAsync()).DurableOffset);
            _disk.Before = call =>
            {
                if (call.Name == "flush" && call.Path.Contains(s_letters.Name, StringComparison.Ordinal))
                {
                    go.Wait();
                }
            };
            int good = requests * rows / 2;
            for (int request = 0; request < requests; request++)
            {
                Assert.Equal(AppendOutcome.Appended, Append(stream, request * rows, rows));
            }

            // The dead letters come last: until then each bad row is a gap.
            await Eventually.BeAsync(() => log.Metrics.Rows >= good || stream.Failure is not null);
            Assert.Equal(1, stream.DurableOffset);
            go.Set();
            await Eventually.BeAsync(() => stream.DurableOffset == 2 * good || stream.Failure is not null);
            Assert.Null(stream.Failure);
            Assert.Equal(good, stream.RejectedCount);
            var errors = new List<RowError>();
            stream.TakeErrors(errors, int.MaxValue);
            Assert.Equal(Enumerable.Range(0, good).Select(row => (2L * row) + 1), errors.Select(error => error.Row));
            stream.Close();
            List<SealedSegment> segments = await LogDirectory.StopAsync(log);
            Assert.Equal(
                Enumerable.Range(0, good).Select(row => 2L * row),
                segments.Where(segment => segment.Table == LogDirectory.Events)
                    .SelectMany(segment => LogDirectory.ReadIds(segment.Path)).Order());
            Assert.Equal(good, segments.Where(segment => segment.Table == s_letters).Sum(segment => segment.Rows));
        }
    }

    [Fact]
    public async Task An_exception_while_a_request_is_taken_costs_others_in_the_batch_nothing()
    {
        SegmentLog log = await OpenAsync();

        // Nobody may open with so long an id; here it stands for whatever may throw.
        ProducerStream stream = Open(log, new string('x', 300), out AdmissionControl admission);
        using (admission)
        {
            Lane lane = log.Lane(LogDirectory.Events);
            var other = new CountingSink();
            LogDirectory.Append(lane, other, 0, 3);
            Assert.Throws<ArgumentException>(() => Append(stream, 0, 10));
            LogDirectory.Append(lane, other, 3, 2);
            await other.CommittedAsync(5);
        }

        List<SealedSegment> segments = await LogDirectory.StopAsync(log);
        Assert.Equal([0L, 1, 2, 3, 4], LogDirectory.ReadIds(Assert.Single(segments).Path));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Of_a_batch_given_back_after_an_exception_everyone_is_told(bool isMarked)
    {
        SegmentLog log = await OpenAsync(new ManualTime());
        Lane lane = log.Lane(LogDirectory.Events);
        var first = new CountingSink();
        var other = new CountingSink();
        LogDirectory.Append(lane, first, 0, 1); // The first rows do not linger; those that follow do.
        await first.CommittedAsync(1);
        LogDirectory.Append(lane, other, 1, 3);
        Batch batch = lane.Rent();
        int before = batch.RowCount;
        Assert.Equal(3, before);
        LogDirectory.Fill(batch, new CountingSink(), 100, isMarked ? 2 : 0);
        lane.GiveBack(batch, before, new InvalidOperationException("a bug"), isMarked);
        await log.StopAsync();

        Assert.Equal(isMarked ? (0, 3) : (3, 0), (other.CommittedRows, other.FailedRows));
        Assert.Equal(isMarked ? 1 : 4, Assert.Single(await LogDirectory.StopAsync(log)).Rows);
    }

    // Even rows are good, odd ones are empty.
    private AppendOutcome Append(ProducerStream stream, int offset, int count)
    {
        var events = new EventRows();
        for (int row = offset; row < offset + count; row++)
        {
            events.Events.Add(row % 2 == 1 ? new Event() : new Event
            {
                EventId = $"{row}",
                EventType = "tick",
                EntityType = "test",
                EntityId = "x",
                Timestamp = Timestamp.FromDateTime(DateTime.UnixEpoch.AddYears(50)),
            });
        }

        byte[] request = new AppendRequest { Rows = new AppendRows { Offset = offset, Events = events } }.ToByteArray();
        Assert.True(_decoder.TryRead(request));
        return stream.Append(_decoder, request);
    }

    private Task<SegmentLog> OpenAsync(TimeProvider? time = null) =>
        _directory.OpenAsync(disk: _disk, time: time, tables: [LogDirectory.Events, s_letters]);

    private static ProducerStream Open(SegmentLog log, string producer, out AdmissionControl admission)
    {
        admission = new AdmissionControl(
            new AdmissionOptions(), log, NullLogger.Instance, TimeProvider.System, () => 0, _ => 1L << 40);
        var table = new IngestTable(LogDirectory.Events, log.Lane(LogDirectory.Events));
        var letters = new DeadLetters(new IngestTable(s_letters, log.Lane(s_letters)));
        return new ProducerStream(
            table, letters, new Metrics(), TimeProvider.System, producer, epoch: 1, () => { },
            admission.Join("sender", table.Lane, letters.Lane));
    }
}
