using System.Collections.Concurrent;
using System.Diagnostics;
using Google.Protobuf;
using Ingest.V1;

namespace Ingest.EndToEnd.Tests.Overload;

/// <summary>One producer of a load: sends on a schedule, keeps to its credit, and does what it is told.</summary>
internal sealed class LoadProducer(LoadOptions options, string name, Stopwatch clock) : IDisposable
{
    private readonly ConcurrentQueue<(long End, double At)> _waiting = new();
    private readonly SemaphoreSlim _changed = new(0);
    private readonly byte[] _rows = Rows(name, options.RowsPerRequest);
    private long _credit;
    private long _resendFrom = -1;
    private double _resendAt;
    private long _durable;

    public string Name => name;

    public long Durable => Volatile.Read(ref _durable);

    /// <summary>Durable rows when the time of sending was over.</summary>
    public long DurableInTime { get; private set; }

    public long Sent { get; private set; }

    public ConcurrentDictionary<string, int> Refusals { get; } = new();

    public ConcurrentDictionary<string, int> Ended { get; } = new();

    /// <summary>Milliseconds of each request.</summary>
    public List<double> Latencies { get; } = [];

    public async Task RunAsync(Func<Task<Http2Connection>> connect)
    {
        double due = clock.Elapsed.TotalSeconds;
        long epoch = 0;
        while (clock.Elapsed.TotalSeconds < options.Seconds || Durable == 0)
        {
            try
            {
                Http2Stream call = await (await connect()).OpenAsync(
                    "/ingest.v1.IngestService/Append", options.Token);
                await call.SendAsync(PointFrames.Frame(new AppendRequest
                {
                    Open = new AppendOpen { ProducerId = name, SessionEpoch = ++epoch, Table = "gps_points" },
                }));
                await SendAllAsync(call, due);
            }
            catch (Exception e) when (e is IOException or OperationCanceledException or System.Net.Sockets.SocketException)
            {
                Ended.AddOrUpdate(e.GetType().Name, 1, static (_, n) => n + 1);
                await Task.Delay(50);
            }
        }
    }

    public void Dispose() => _changed.Dispose();

    private async Task SendAllAsync(Http2Stream call, double begun)
    {
        if (!await call.Messages.WaitToReadAsync() || !call.Messages.TryRead(out byte[]? first)
            || AppendResponse.Parser.ParseFrom(first).Opened is not { } opened)
        {
            Ended.AddOrUpdate($"status {call.Status}", 1, static (_, n) => n + 1);
            await Task.Delay(200);
            return;
        }

        _credit = opened.CreditBytes;
        _waiting.Clear();
        Interlocked.Exchange(ref _durable, opened.DurableOffset);
        long next = opened.DurableOffset;
        _resendFrom = -1;
        Task reading = ReadAsync(call);
        double interval = options.RowsPerSecond > 0
            ? options.RowsPerRequest * options.Producers / options.RowsPerSecond : 0;
        double due = Math.Max(begun, clock.Elapsed.TotalSeconds);
        // Something gets through even where the machine is so busy, or the log so full, that the time is over by now.
        while (clock.Elapsed.TotalSeconds is var now && (now < options.Seconds || Durable == 0) && !call.HasEnded)
        {
            if (Interlocked.Exchange(ref _resendFrom, -1) is >= 0 and var from)
            {
                next = from;
                _waiting.Clear();
                due = Math.Max(due, _resendAt);
            }

            if (now < due)
            {
                await Task.Delay(TimeSpan.FromSeconds(Math.Clamp(due - now, 0.001, 0.2)));
                continue;
            }

            byte[] request = Request(next);
            if (Volatile.Read(ref _credit) < request.Length - 5 || (now >= options.Seconds && !_waiting.IsEmpty))
            {
                await _changed.WaitAsync(TimeSpan.FromMilliseconds(200));
                continue;
            }

            // By the schedule: what could not be sent in time is still offered.
            due += interval;
            Interlocked.Add(ref _credit, -(request.Length - 5));
            next += options.RowsPerRequest;
            Sent = Math.Max(Sent, next);
            _waiting.Enqueue((next, clock.Elapsed.TotalMilliseconds));
            await call.SendAsync(request);
        }

        DurableInTime = Durable;
        if (!call.HasEnded)
        {
            await call.SendAsync(default, end: true);
        }

        await reading;
        if (call.Status != 0)
        {
            Ended.AddOrUpdate($"status {call.Status} {(call.Status < 0 ? call.Text : "")}", 1, static (_, n) => n + 1);
        }
    }

    private async Task ReadAsync(Http2Stream call)
    {
        await foreach (byte[] message in call.Messages.ReadAllAsync())
        {
            AppendResponse response = AppendResponse.Parser.ParseFrom(message);
            if (response.Credit is { } credit)
            {
                Interlocked.Add(ref _credit, credit.Bytes);
            }
            else if (response.Refusal is { } refusal)
            {
                Refusals.AddOrUpdate($"{refusal.Reason}", 1, static (_, n) => n + 1);
                _resendAt = clock.Elapsed.TotalSeconds + (refusal.RetryAfter?.ToTimeSpan().TotalSeconds ?? 0);
                Interlocked.Exchange(ref _resendFrom, refusal.ExpectedOffset);
            }
            else if (response.Ack is { } ack)
            {
                Interlocked.Exchange(ref _durable, ack.DurableOffset);
                double now = clock.Elapsed.TotalMilliseconds;
                while (_waiting.TryPeek(out (long End, double At) sent) && sent.End <= ack.DurableOffset
                    && _waiting.TryDequeue(out sent))
                {
                    Latencies.Add(now - sent.At);
                }
            }

            if (_changed.CurrentCount == 0)
            {
                _changed.Release();
            }
        }

        _changed.Release();
    }

    // The frame of a request: its rows are always the same bytes, its offset goes before them.
    private byte[] Request(long offset)
    {
        byte[] head = new AppendRows { Offset = offset }.ToByteArray();
        using var request = new MemoryStream();
        using (var output = new CodedOutputStream(request, leaveOpen: true))
        {
            output.WriteTag(AppendRequest.RowsFieldNumber, WireFormat.WireType.LengthDelimited);
            output.WriteLength(head.Length + _rows.Length);
        }

        request.Write(head);
        request.Write(_rows);
        return PointFrames.Frame(request.GetBuffer().AsSpan(0, (int)request.Length));
    }

    private static byte[] Rows(string driver, int count) => new AppendRows
    {
        GpsPoints = new GpsPointRows { Points = { Enumerable.Range(0, count).Select(i => PointFrames.Point(i, driver)) } },
    }.ToByteArray();
}
