using System.Buffers.Text;
using System.Diagnostics;

namespace Ingest.Fanout;

/// <summary>
/// Looks into the updates of one subscriber: that none is missing, and how old each is. An update has its number and the
/// time of its publication in it, <c>@@number@nanoseconds@</c>, by the clock that all processes of a machine have.
/// </summary>
internal sealed class Sample
{
    private readonly List<double> _latencies = [];
    private long _next = -1;
    private bool _isOn;

    /// <summary>Updates that should have come and did not.</summary>
    public long Missing { get; private set; }

    /// <summary>Ages of the updates since <see cref="Begin"/>, milliseconds.</summary>
    public IReadOnlyList<double> Latencies => _latencies;

    /// <summary>Begins to note ages.</summary>
    public void Begin()
    {
        lock (_latencies)
        {
            _latencies.Clear();
            _isOn = true;
        }
    }

    /// <summary>Ages noted; no more are.</summary>
    public double[] End()
    {
        lock (_latencies)
        {
            _isOn = false;
            return [.. _latencies];
        }
    }

    /// <summary>The mark of an update that is published now.</summary>
    public static string Mark(long number) => $"@@{number:D12}@{Stopwatch.GetTimestamp():D19}@";

    /// <summary>Looks into an update.</summary>
    public void Take(ReadOnlySpan<byte> update)
    {
        int at = update.IndexOf("@@"u8);
        if (at < 0 || !Utf8Parser.TryParse(update[(at + 2)..], out long number, out int digits)
            || !Utf8Parser.TryParse(update[(at + digits + 3)..], out long time, out _))
        {
            throw new InvalidDataException("An update without a mark came.");
        }

        if (_next >= 0 && number != _next)
        {
            Missing += Math.Abs(number - _next);
        }

        _next = number + 1;
        lock (_latencies)
        {
            if (_isOn)
            {
                _latencies.Add(Stopwatch.GetElapsedTime(time).TotalMilliseconds);
            }
        }
    }
}
