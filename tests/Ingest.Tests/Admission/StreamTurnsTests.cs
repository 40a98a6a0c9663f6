using Ingest.Admission;
using Ingest.Log;
using Ingest.Tests.Log;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ingest.Tests.Admission;

/// <summary>A sender has a few turns at a time, however many streams it has.</summary>
public sealed class StreamTurnsTests : IAsyncLifetime, IDisposable
{
    private static readonly int s_turns = Environment.ProcessorCount;

    private readonly LogDirectory _directory = new();
    private SegmentLog? _log;
    private AdmissionControl? _admission;

    public async Task InitializeAsync()
    {
        _log = await _directory.OpenAsync();
        _admission = new AdmissionControl(
            new AdmissionOptions(), _log, NullLogger.Instance, TimeProvider.System, () => 0, _ => 1L << 40);
    }

    public async Task DisposeAsync()
    {
        _admission!.Dispose();
        await _log!.DisposeAsync();
    }

    public void Dispose()
    {
        _admission?.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public async Task Streams_of_one_sender_wait_for_each_other_and_not_for_those_of_another()
    {
        StreamTurns[] streams = [.. Enumerable.Range(0, s_turns + 2).Select(_ => Join("one"))];
        Task[] turns = [.. streams.Select(stream => stream.BeginAsync(CancellationToken.None).AsTask())];
        Assert.Equal(s_turns, turns.Count(turn => turn.IsCompletedSuccessfully));

        StreamTurns other = Join("other");
        Assert.True(other.BeginAsync(CancellationToken.None).AsTask().IsCompletedSuccessfully);
        Assert.True(other.GoesOn);

        streams[0].End();
        await turns[s_turns].WaitAsync(TimeSpan.FromSeconds(30));
        Assert.False(turns[s_turns + 1].IsCompleted);
        streams[1].End();
        await turns[s_turns + 1].WaitAsync(TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task A_turn_is_used_up_by_bytes_and_comes_again()
    {
        StreamTurns stream = Join("one");
        for (int i = 0; i < 3; i++)
        {
            await stream.BeginAsync(CancellationToken.None);
            stream.Count(new AdmissionOptions().TurnBytes - 1, isHeld: false);
            Assert.True(stream.GoesOn);
            stream.Count(1, isHeld: false);
            Assert.False(stream.GoesOn);
            stream.End();
        }
    }

    [Fact]
    public async Task Who_leaves_the_line_is_passed_over()
    {
        StreamTurns[] streams = [.. Enumerable.Range(0, s_turns + 2).Select(_ => Join("one"))];
        using var left = new CancellationTokenSource();
        Task[] turns = [.. streams.Select((stream, i) => stream.BeginAsync(
            i == s_turns ? left.Token : CancellationToken.None).AsTask())];
        await left.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => turns[s_turns]);
        streams[0].End();
        await turns[s_turns + 1].WaitAsync(TimeSpan.FromSeconds(30));

        foreach (StreamTurns stream in streams)
        {
            stream.Close();
        }

        Assert.Equal(0, _admission!.SenderCount);
    }

    [Fact]
    public async Task Many_streams_of_one_sender_all_come_to_their_turns()
    {
        const int Rounds = 200;
        int most = 0, now = 0;
        await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Task.Run(async () =>
        {
            StreamTurns stream = Join("one");
            for (int i = 0; i < Rounds; i++)
            {
                await stream.BeginAsync(CancellationToken.None);
                int running = Interlocked.Increment(ref now);
                Interlocked.Exchange(ref most, Math.Max(Volatile.Read(ref most), running));
                stream.Count(i % 3 == 0 ? 1 << 20 : 10, isHeld: false);
                Interlocked.Decrement(ref now);
                stream.End();
            }

            stream.Close();
        }))).WaitAsync(TimeSpan.FromSeconds(60));
        Assert.InRange(most, 1, s_turns);
    }

    [Fact]
    public async Task A_turn_and_its_messages_allocate_nothing()
    {
        StreamTurns stream = Join("one");
        for (int i = 0; i < 2; i++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int turn = 0; turn < 1000; turn++)
            {
                ValueTask begun = stream.BeginAsync(CancellationToken.None);
                Assert.True(begun.IsCompletedSuccessfully);
                for (int message = 0; message < 10 && stream.GoesOn; message++)
                {
                    stream.Count(100, isHeld: true);
                }

                stream.End();
                stream.Release(1000);
            }

            long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.True(i == 0 || allocated == 0, $"{allocated} bytes");
        }

        await Task.CompletedTask;
    }

    private StreamTurns Join(string sender)
    {
        Lane lane = _log!.Lane(LogDirectory.Events);
        return _admission!.Join(sender, lane, lane);
    }
}
