namespace Ingest.Cli.Streaming;

/// <summary>Holds rows back to a rate. Safe for use by several threads at once.</summary>
/// <param name="rowsPerSecond">The rate; null for none.</param>
/// <param name="timeProvider">The clock.</param>
internal sealed class RatePacer(double? rowsPerSecond, TimeProvider timeProvider)
{
    // A timer is no finer; what is due sooner goes at once.
    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(5);

    private readonly long _start = timeProvider.GetTimestamp();
    private long _rows;

    /// <summary>Takes the next rows; completes when they are due.</summary>
    public ValueTask TakeAsync(int rows, CancellationToken cancellationToken)
    {
        if (rowsPerSecond is null)
        {
            return ValueTask.CompletedTask;
        }
        var before = Interlocked.Add(ref _rows, rows) - rows;
        var due = TimeSpan.FromSeconds(before / rowsPerSecond.Value) - timeProvider.GetElapsedTime(_start);
        return due < Shortest
            ? ValueTask.CompletedTask
            : new ValueTask(Task.Delay(due, timeProvider, cancellationToken));
    }
}
