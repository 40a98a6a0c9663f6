namespace Ingest.Admission;

/// <summary>
/// What is used of a limit, as one of three states. A state is left only when use has fallen well below the mark at
/// which it was entered, so that it does not flutter.
/// </summary>
/// <remarks>Updated by one thread at a time; read by any.</remarks>
public sealed class PressureGauge
{
    /// <summary>Share of the limit between the mark where a state is entered and the one where it is left.</summary>
    public const double Hysteresis = 0.1;

    /// <summary>Share of the limit from which on senders are slowed.</summary>
    public const double SoftShare = 0.8;

    private readonly double _hardShare;
    private long _usedBytes;
    private long _limitBytes = long.MaxValue;
    private int _state;

    /// <summary>Makes a gauge of something that is used little.</summary>
    /// <param name="hardShare">Share of the limit from which on rows are refused.</param>
    public PressureGauge(double hardShare) => _hardShare = hardShare;

    /// <summary>Bytes used, as of the last look.</summary>
    public long UsedBytes => Volatile.Read(ref _usedBytes);

    /// <summary>The limit in bytes.</summary>
    public long LimitBytes => Volatile.Read(ref _limitBytes);

    /// <summary>The state.</summary>
    public Pressure State => (Pressure)Volatile.Read(ref _state);

    /// <summary>How far use is between the marks of slowing (0) and of refusing (1).</summary>
    public double Level => State switch
    {
        Pressure.Normal => 0,
        Pressure.Hard => 1,
        _ => Math.Clamp(((double)UsedBytes / LimitBytes - SoftShare) / (_hardShare - SoftShare), 0, 1),
    };

    /// <summary>Bytes from which on a look is worth while.</summary>
    public double SoftBytes => SoftShare * LimitBytes;

    /// <summary>Takes what is used now.</summary>
    /// <returns>Whether the state is another than before.</returns>
    public bool Update(long usedBytes, long limitBytes)
    {
        Volatile.Write(ref _usedBytes, usedBytes);
        Volatile.Write(ref _limitBytes, limitBytes);
        double share = (double)usedBytes / Math.Max(1, limitBytes);
        Pressure before = State;
        Pressure now = share >= _hardShare || (before == Pressure.Hard && share >= _hardShare - Hysteresis)
            ? Pressure.Hard
            : share >= SoftShare || (before != Pressure.Normal && share >= SoftShare - Hysteresis)
                ? Pressure.Soft
                : Pressure.Normal;
        Volatile.Write(ref _state, (int)now);
        return now != before;
    }
}
