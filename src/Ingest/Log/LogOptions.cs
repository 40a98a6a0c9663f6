namespace Ingest.Log;

/// <summary>Settings of the log.</summary>
public sealed record LogOptions
{
    /// <summary>What <see cref="MaxBytes"/> is at most when it is not set.</summary>
    internal const long DefaultMaxBytes = 10L << 30;

    /// <summary>What <see cref="QueueBytes"/> is when it is not set.</summary>
    internal const long DefaultQueueBytes = 8L << 20;

    /// <summary>The same with the embedded engine (docs/performance.md, "Bursts").</summary>
    internal const long QueueBytesBesideEngine = 32L << 20;

    /// <summary>Directory of all that the server keeps; default <c>./data</c>. The log is in <c>log</c> below it.</summary>
    public string DataDirectory { get; init; } = "./data";

    /// <summary>
    /// Whether rows are written; default true. When false they are encoded, dropped and acknowledged: for measuring.
    /// </summary>
    public bool Enabled { get; init; } = true;

    /// <summary>
    /// Bytes on disk that the log may have for the store to catch up with; default 0: 10 GiB, or four fifths of what the
    /// disk has free beside it if that is less. Senders are slowed from 80 % of it on, and refused at it. Nothing is
    /// ever deleted to make room.
    /// </summary>
    public long MaxBytes { get; init; }

    /// <summary>Bytes at which a segment is sealed; default 64 MiB.</summary>
    public long SegmentBytes { get; init; } = 64L << 20;

    /// <summary>Rows at which a segment is sealed, and the most that it holds unless one batch has more; default 1,000,000.</summary>
    public int SegmentRows { get; init; } = 1_000_000;

    /// <summary>Age at which a segment is sealed while few tables are active; default 1 s.</summary>
    public TimeSpan SegmentAge { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Age at which a segment is sealed while many tables are active; default 10 s.</summary>
    public TimeSpan MaxSegmentAge { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Segments sealed by age a second, all tables together, that the log aims to stay under by letting them grow older;
    /// default 2. A segment becomes one part in the store, and parts have to be merged.
    /// </summary>
    public double SegmentsPerSecond { get; init; } = 2;

    /// <summary>Rows at which a batch is closed; default 8,192.</summary>
    public int BatchRows { get; init; } = 8192;

    /// <summary>Bytes at which a batch is closed, about; default 1 MiB.</summary>
    public int BatchBytes { get; init; } = 1 << 20;

    /// <summary>
    /// Longest that a row waits for others to share its block; default 2 ms. When no group was written for as long, it
    /// does not wait at all.
    /// </summary>
    public TimeSpan Linger { get; init; } = TimeSpan.FromMilliseconds(2);

    /// <summary>
    /// Bytes of closed batches of one table that wait for the disk before <see cref="Lane.WaitForRoomAsync"/> makes
    /// senders wait; default 0: 32 MiB with the embedded engine, whose inserts hold flushes up, else 8 MiB.
    /// </summary>
    public long QueueBytes { get; init; }

    /// <summary>
    /// Memory in bytes that one table's empty batches may keep; default 64 MiB, what full queues turn over. What lay
    /// unused for half a minute is let go.
    /// </summary>
    public long PoolBytes { get; init; } = 64L << 20;

    /// <summary>
    /// Data files of full segments that a busy table keeps when the store has them, to write its next segments over them;
    /// default 2. They lie beside <see cref="MaxBytes"/>, and go when half a minute passes without need. 0 where the file
    /// system writes elsewhere what is written over (Btrfs, ZFS).
    /// </summary>
    public int SpareFiles { get; init; } = 2;

    /// <summary>
    /// Bytes of segments that the store has and that stay on disk all the same, since an agent that was killed now would
    /// have to read them; default 256 MiB, and at most a tenth of <see cref="MaxBytes"/> where that is set. What is over it
    /// the agent reads from the store.
    /// </summary>
    public long KeptBytes { get; init; } = 256L << 20;

    /// <summary>As many bytes of such segments as may stay: a log with a small limit keeps to it, about.</summary>
    internal long MaxKeptBytes => MaxBytes > 0 ? Math.Min(KeptBytes, MaxBytes / 10) : KeptBytes;

    /// <summary>
    /// How long an idle producer's offsets are remembered; default 7 days. One that comes back later begins at 0.
    /// </summary>
    public TimeSpan ProducerExpiry { get; init; } = TimeSpan.FromDays(7);

    /// <summary>Producers that one table remembers; default 1,000,000, about 200 bytes each. More are refused.</summary>
    public int MaxProducers { get; init; } = 1_000_000;

    /// <summary>Open batches a table, when streams keep that many cores busy; default the number of cores.</summary>
    public int OpenBatches { get; init; } = Environment.ProcessorCount;

    /// <summary>These settings, with a size of the queue.</summary>
    internal LogOptions WithQueue(long whenUnset) => QueueBytes > 0 ? this : this with { QueueBytes = whenUnset };

    /// <summary>What is wrong with the settings, one sentence each that begins with the setting's name.</summary>
    public IEnumerable<string> Validate()
    {
        foreach ((string name, double value, double least, double most) in new (string, double, double, double)[]
        {
            (nameof(SegmentBytes), SegmentBytes, 4096, 1L << 40),
            (nameof(SegmentRows), SegmentRows, 1, 100_000_000),
            (nameof(SegmentsPerSecond), SegmentsPerSecond, 0.001, 1_000_000),
            (nameof(BatchRows), BatchRows, 1, 1_000_000),
            (nameof(BatchBytes), BatchBytes, 1, 1 << 30),
            (nameof(QueueBytes), QueueBytes, 0, 1L << 40),
            (nameof(PoolBytes), PoolBytes, 0, 1L << 40),
            (nameof(SpareFiles), SpareFiles, 0, 1024),
            (nameof(KeptBytes), KeptBytes, 0, 1L << 40),
            (nameof(MaxProducers), MaxProducers, 1, 100_000_000),
            (nameof(OpenBatches), OpenBatches, 1, 1024),
            (nameof(MaxBytes), MaxBytes, 0, long.MaxValue),
        })
        {
            // Written so that NaN is refused too.
            if (!(value >= least && value <= most))
            {
                yield return FormattableString.Invariant($"{name} is {value}; {least:#,0.###} to {most:#,0} is valid.");
            }
        }

        foreach ((string name, TimeSpan time, TimeSpan most) in new[]
        {
            (nameof(SegmentAge), SegmentAge, TimeSpan.FromDays(1)),
            (nameof(MaxSegmentAge), MaxSegmentAge, TimeSpan.FromDays(1)),
            (nameof(ProducerExpiry), ProducerExpiry, TimeSpan.FromDays(36_500)),
        })
        {
            if (time < TimeSpan.FromMilliseconds(1) || time > most)
            {
                yield return $"{name} is {time}; 1 ms to {most.TotalDays:0} days is valid.";
            }
        }

        if (Linger < TimeSpan.Zero || Linger > TimeSpan.FromMinutes(1))
        {
            yield return $"{nameof(Linger)} is {Linger}; 0 to 1 minute is valid.";
        }

        if (MaxSegmentAge < SegmentAge)
        {
            yield return $"{nameof(MaxSegmentAge)} is {MaxSegmentAge}, less than {nameof(SegmentAge)}, {SegmentAge}.";
        }

        if (MaxBytes > 0 && MaxBytes < 2 * SegmentBytes)
        {
            yield return $"{nameof(MaxBytes)} is {MaxBytes}; 0, or at least two segments, {2 * SegmentBytes} bytes, "
                + "is valid.";
        }
    }
}
