using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using Ingest.V1;

namespace Ingest.EndToEnd.Tests;

/// <summary>
/// Producers on Append that go on from their durable offset whatever ends their calls, and number their rows: row N of
/// a producer has order id N, so that what was acknowledged is every number below the acknowledged offset.
/// </summary>
internal sealed class ResumingProducers : IAsyncDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(50);

    private readonly CancellationTokenSource _stop = new();
    private readonly long[] _acknowledged;
    private readonly string[] _doing;
    private readonly Task[] _running;
    private readonly TimeSpan _rest;
    private volatile string? _address;

    /// <summary>Starts them; they wait for an address.</summary>
    /// <param name="count">How many.</param>
    /// <param name="rest">What a producer waits after an acknowledgement.</param>
    public ResumingProducers(int count, TimeSpan rest = default)
    {
        _acknowledged = new long[count];
        _doing = new string[count];
        _rest = rest;
        _running = [.. Enumerable.Range(0, count).Select(ProduceAsync)];
    }

    /// <summary>Where the server is; null while there is none.</summary>
    public string? Address
    {
        get => _address;
        set => _address = value;
    }

    /// <summary>Refusals in band, and calls that the server ended.</summary>
    public ConcurrentQueue<Ending> Endings { get; } = new();

    /// <summary>Rows acknowledged, of all.</summary>
    public long Acknowledged => _acknowledged.Sum();

    /// <summary>Waits until every producer was acknowledged something since.</summary>
    public async Task ProgressAsync()
    {
        long[] before = [.. _acknowledged];
        await UntilAsync(() => _acknowledged.Zip(before).All(pair => pair.First > pair.Second), "no progress");
    }

    /// <summary>Waits for a condition while they run.</summary>
    public async Task UntilAsync(Func<bool> condition, string otherwise)
    {
        var clock = Stopwatch.StartNew();
        while (!condition())
        {
            // Cancelled ones too: a task that an OperationCanceledException ended is not faulted.
            foreach (Task ended in _running.Where(producer => producer.IsCompleted))
            {
                await ended;
                Assert.Fail("a producer has ended");
            }

            Assert.True(
                clock.Elapsed < s_patience,
                $"{otherwise} in {s_patience.TotalSeconds} s: {string.Join(", ", _acknowledged)}; {string.Join(", ", _doing)}");
            await Task.Delay(1);
        }
    }

    /// <summary>Stops them.</summary>
    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_running);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    /// <summary>Every row that was acknowledged is in the store, and none is there twice.</summary>
    public async Task ExpectOnceAsync(ServerProcess server)
    {
        for (int producer = 0; producer < _acknowledged.Length; producer++)
        {
            long acknowledged = _acknowledged[producer];
            Assert.True(acknowledged > 0, "nothing was acknowledged: the test shows nothing");
            string rows = $"FROM gps_points WHERE driver_id = 'driver-{producer}'";
            await server.ExpectAsync(
                $"{acknowledged}\t{acknowledged}",
                $"SELECT count(), uniqExact(toUInt64(order_id)) {rows} AND toUInt64(order_id) < {acknowledged}", seconds: 60);
            string[] all = (await server.QueryAsync($"SELECT count(), uniqExact(order_id) {rows}")).Split('\t');
            Assert.Equal(all[0], all[1]);
        }
    }

    private async Task ProduceAsync(int producer)
    {
        var random = new Random(producer);
        long epoch = 0;
        while (!_stop.IsCancellationRequested)
        {
            if (_address is not { } address)
            {
                await Task.Delay(5, CancellationToken.None);
                continue;
            }

            try
            {
                _doing[producer] = $"opening at {address}";
                await using AppendCall call = await AppendCall.OpenAsync(address, $"producer-{producer}", ++epoch);
                if (call.Opened is not null)
                {
                    Assert.True(
                        call.Opened.DurableOffset >= _acknowledged[producer],
                        $"{call.Opened.DurableOffset} is durable, {_acknowledged[producer]} were acknowledged");
                    _doing[producer] = $"sending at {address}";
                    await SendAsync(call, producer, random);
                }

                if (!_stop.IsCancellationRequested)
                {
                    Note(call);
                    await Task.Delay(s_pause, CancellationToken.None);
                }
            }
            catch (Exception error) when (error is HttpRequestException or IOException or TimeoutException)
            {
                // Killed. What was not acknowledged is sent again.
                _doing[producer] = error.Message;
            }
        }
    }

    // Until it is stopped, or the call has ended, or was refused something.
    private async Task SendAsync(AppendCall call, int producer, Random random)
    {
        long next = call.Opened!.DurableOffset;
        while (!_stop.IsCancellationRequested)
        {
            // Some messages are under way at a time; some rows are sent again.
            for (int message = random.Next(1, 4); message > 0; message--)
            {
                long first = Math.Max(0, next - random.Next(3));
                int count = random.Next(5, 50);
                call.SendPoints(first, count, $"driver-{producer}");
                next = first + count;
            }

            while (call.Ack.DurableOffset < next)
            {
                if (await call.ReadAsync() is null)
                {
                    return;
                }

                Volatile.Write(ref _acknowledged[producer], Math.Max(_acknowledged[producer], call.Ack.DurableOffset));
                if (call.Refusals.Count > 0)
                {
                    // What the server says next of the call is part of the answer.
                    call.Complete();
                    while (await call.ReadAsync() is not null)
                    {
                    }

                    return;
                }
            }

            if (_rest > TimeSpan.Zero)
            {
                await Task.Delay(_rest, CancellationToken.None);
            }
        }
    }

    private void Note(AppendCall call)
    {
        IReadOnlyDictionary<string, string> status = call.Status();
        string details = status.GetValueOrDefault("grpc-status-details-bin", "");
        Endings.Enqueue(new Ending(
            call.Refusals.FirstOrDefault(),
            status.GetValueOrDefault("grpc-status", ""),
            Uri.UnescapeDataString(status.GetValueOrDefault("grpc-message", "")),
            status.GetValueOrDefault("grpc-retry-pushback-ms", ""),
            Encoding.Latin1.GetString(Convert.FromBase64String(details + new string('=', (4 - (details.Length % 4)) % 4)))
                .Contains("google.rpc.RetryInfo", StringComparison.Ordinal)));
    }

    /// <summary>How a call ended that the server ended.</summary>
    /// <param name="Refusal">What was refused in band before, if anything was.</param>
    /// <param name="Status">gRPC status.</param>
    /// <param name="Message">Its text.</param>
    /// <param name="Pushback">Milliseconds after which the client may retry.</param>
    /// <param name="HasRetryInfo">Whether the status details say so too.</param>
    internal sealed record Ending(
        AppendRefusal? Refusal, string Status, string Message, string Pushback, bool HasRetryInfo);
}
