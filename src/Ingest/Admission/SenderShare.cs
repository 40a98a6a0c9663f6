using System.Collections.Concurrent;

namespace Ingest.Admission;

/// <summary>What one sender, over all its streams, uses of the server.</summary>
/// <remarks>
/// A sender has a few turns at a time, however many streams it has; the others wait in line, first come first served.
/// So the thread pool never has more of one sender's work before it than of another's, and gives each its share. Taking
/// and giving back a turn is one atomic operation while nobody waits.
/// </remarks>
internal sealed class SenderShare(string sender, int maxTurns)
{
    /// <summary>
    /// After how long what a sender used counts half: longer than a refused one stays away, or it would come back as one
    /// that had used nothing.
    /// </summary>
    public static readonly TimeSpan HalfLife = TimeSpan.FromSeconds(2.5);

    private const double ForgottenBytes = 4096;

    private readonly ConcurrentQueue<StreamTurns> _waiting = new();
    private readonly ConcurrentDictionary<string, SenderBytes> _held = new(StringComparer.Ordinal);
    private int _turns; // Taken and waited for.
    private long _turnBytes;
    private double _recentBytes;
    private double _usedBytes;

    /// <summary>The sender's key.</summary>
    public string Sender => sender;

    /// <summary>Streams that it has; the registry's.</summary>
    public int Streams { get; set; }

    /// <summary>
    /// Bytes of its latest turns, older ones counting less. Written by the control's timer alone, read without care.
    /// </summary>
    public double RecentBytes => _recentBytes;

    /// <summary>
    /// Bytes of its turns of the last seconds, those of a moment ago included; of what lies <see cref="HalfLife"/> back,
    /// half.
    /// </summary>
    public double UsedBytes => Volatile.Read(ref _usedBytes) + Volatile.Read(ref _turnBytes);

    /// <summary>Whether nothing of it is left to remember.</summary>
    public bool IsForgotten => Streams == 0 && UsedBytes < ForgottenBytes;

    /// <summary>Bytes that it has under way into a table.</summary>
    public SenderBytes Held(string table) => _held.GetOrAdd(table, static _ => new SenderBytes());

    /// <summary>Asks for a turn. When there is none the stream has to <see cref="Wait"/>.</summary>
    public bool TryTake() => Interlocked.Increment(ref _turns) <= maxTurns;

    /// <summary>Puts a stream that got no turn in line.</summary>
    public void Wait(StreamTurns stream) => _waiting.Enqueue(stream);

    /// <summary>Gives a turn back, to who is next in line if there is anyone.</summary>
    public void Return(long bytes)
    {
        if (bytes > 0)
        {
            Interlocked.Add(ref _turnBytes, bytes);
        }

        while (Interlocked.Decrement(ref _turns) >= maxTurns)
        {
            StreamTurns? next;
            var spin = default(SpinWait);
            while (!_waiting.TryDequeue(out next))
            {
                // It was counted and is about to stand in line.
                spin.SpinOnce();
            }

            if (next.TryGrant())
            {
                return;
            }
        }
    }

    /// <summary>Lets what was counted before fade, the recent by half, and adds what came since.</summary>
    /// <param name="elapsed">Time since the last call.</param>
    public void Fade(TimeSpan elapsed)
    {
        long came = Interlocked.Exchange(ref _turnBytes, 0);
        _recentBytes = (_recentBytes / 2) + came;
        Volatile.Write(ref _usedBytes, (_usedBytes * Math.Exp(-Math.Log(2) * (elapsed / HalfLife))) + came);
    }
}
