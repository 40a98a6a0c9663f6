using System.Diagnostics;

namespace Ingest.EndToEnd.Tests;

/// <summary>
/// Producers on Append that send all the time, resume where they were after whatever ends a call, and note what was
/// acknowledged. Row N of producer P has driver <c>driver-P</c> and order id N.
/// </summary>
internal sealed class ProducerLoad : IAsyncDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(90);

    private readonly CancellationTokenSource _stop = new();
    private readonly long[] _durable;
    private readonly long[] _stored;
    private readonly int[] _drains;
    private readonly string[] _doing;
    private readonly Task[] _running;
    private readonly TimeSpan _pause;
    private volatile string? _address;

    /// <summary>Starts producers; they wait until there is an address.</summary>
    /// <param name="producers">How many.</param>
    /// <param name="pause">Pause of each after an acknowledgement.</param>
    public ProducerLoad(int producers, TimeSpan pause)
    {
        _pause = pause;
        _durable = new long[producers];
        _stored = new long[producers];
        _drains = new int[producers];
        _doing = new string[producers];
        _running = [.. Enumerable.Range(0, producers).Select(ProduceAsync)];
    }

    /// <summary>Where the server is; null while there is none.</summary>
    public string? Address
    {
        get => _address;
        set => _address = value;
    }

    /// <summary>Offsets acknowledged DURABLE, by producer.</summary>
    public long[] Durable => [.. _durable.Select((_, i) => Volatile.Read(ref _durable[i]))];

    /// <summary>Offsets acknowledged STORED, by producer.</summary>
    public long[] Stored => [.. _stored.Select((_, i) => Volatile.Read(ref _stored[i]))];

    /// <summary>Sessions of each producer that ended with a word that the server drains.</summary>
    public int[] Drains => [.. _drains];

    /// <summary>Waits until every producer was acknowledged something more as durable.</summary>
    public async Task ProgressAsync()
    {
        long[] before = Durable;
        await UntilAsync(() => Durable.Zip(before).All(pair => pair.First > pair.Second), "durable rows");
    }

    /// <summary>Waits until all that is durable now was acknowledged as stored.</summary>
    public async Task StoredAsync()
    {
        long[] now = Durable;
        await UntilAsync(() => Stored.Zip(now).All(pair => pair.First >= pair.Second), "stored rows");
    }

    /// <summary>Ends the producers, each after its last acknowledgement.</summary>
    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_running).WaitAsync(s_patience);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_running).WaitAsync(s_patience).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private async Task UntilAsync(Func<bool> condition, string what)
    {
        var clock = Stopwatch.StartNew();
        while (!condition())
        {
            foreach (Task ended in _running.Where(producer => producer.IsFaulted))
            {
                await ended;
            }

            Assert.True(
                clock.Elapsed < s_patience,
                $"no {what} in {s_patience.TotalSeconds} s: durable {string.Join(",", Durable)}; stored "
                + $"{string.Join(",", Stored)}; {string.Join(", ", _doing)}");
            await Task.Delay(2);
        }
    }

    private async Task ProduceAsync(int producer)
    {
        await Task.Yield();
        var random = new Random(producer);
        long epoch = 0;
        while (!_stop.IsCancellationRequested)
        {
            if (Address is not { } address)
            {
                await Task.Delay(5, CancellationToken.None);
                continue;
            }

            try
            {
                _doing[producer] = $"opening at {address}";
                await using AppendCall call = await AppendCall.OpenAsync(address, $"producer-{producer}", ++epoch);
                if (call.Opened is not { } opened)
                {
                    // Refused, as a server that is stopping does.
                    await Task.Delay(20, CancellationToken.None);
                    continue;
                }

                Assert.True(
                    opened.DurableOffset >= _durable[producer],
                    $"{opened.DurableOffset} is durable, {_durable[producer]} were acknowledged");
                Note(producer, opened.DurableOffset, opened.StoredOffset);
                _doing[producer] = $"sending at {address}";
                await SendAsync(call, producer, random);
            }
            catch (Exception error) when (error is HttpRequestException or IOException or TimeoutException)
            {
                // What was not acknowledged is sent again.
                _doing[producer] = error.Message;
            }
        }
    }

    private async Task SendAsync(AppendCall call, int producer, Random random)
    {
        long next = call.Opened!.DurableOffset;
        while (!_stop.IsCancellationRequested && call.Draining is null)
        {
            // Some messages are under way at a time; some rows are sent again.
            for (int message = random.Next(1, 4); message > 0; message--)
            {
                long first = Math.Max(0, next - random.Next(3));
                int count = random.Next(5, 50);
                call.SendPoints(first, count, $"driver-{producer}");
                next = first + count;
            }

            while (call.Ack.DurableOffset < next && await call.ReadAsync() is not null)
            {
                Note(producer, call.Ack.DurableOffset, call.Ack.StoredOffset);
            }

            Assert.Empty(call.Refusals);
            if (call.Ack.DurableOffset < next)
            {
                // The server ended the call.
                return;
            }

            await Task.Delay(_pause, CancellationToken.None);
        }

        if (call.Draining is not null)
        {
            _drains[producer]++;
            call.Complete();
            (int status, string message) = await call.EndAsync();
            Assert.True(status is 0 or 14, $"{status}: {message}");
            Note(producer, call.Ack.DurableOffset, call.Ack.StoredOffset);
        }
    }

    private void Note(int producer, long durable, long stored)
    {
        Volatile.Write(ref _durable[producer], Math.Max(durable, _durable[producer]));
        Volatile.Write(ref _stored[producer], Math.Max(stored, _stored[producer]));
    }
}
