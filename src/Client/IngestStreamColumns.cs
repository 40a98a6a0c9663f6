using Ingest.Protocol;
using Ingest.V1;

namespace Ingest.Client;

/// <summary>
/// Many rows in one message, an array a column: for who has them that way. The server takes them as it takes the same
/// rows one by one, at a fraction of the cost; docs/columns.md says how the columns have to fit together.
/// </summary>
public static class IngestStreamColumns
{
    /// <summary>
    /// Writes GPS points as one message, after the rows that were written before. Completes at once while there is
    /// room, as <see cref="IngestStream{TRow}.WriteAsync"/>; nothing is sent of columns without rows.
    /// </summary>
    /// <param name="stream">The stream.</param>
    /// <param name="columns">
    /// The points; can be used again when the task is complete. Below what the server takes as a message (16 MiB by
    /// default). Columns that do not fit together end the call INVALID_ARGUMENT.
    /// </param>
    /// <param name="cancellationToken">Gives up waiting; the points are then not written.</param>
    /// <exception cref="RpcException">The call has ended.</exception>
    /// <exception cref="InvalidOperationException">The stream is completed.</exception>
    /// <exception cref="OperationCanceledException">A token was cancelled.</exception>
    public static ValueTask WriteColumnsAsync(
        this IngestStream<GpsPoint> stream, GpsPointColumns columns, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(columns);
        return columns.RowCount == 0
            ? ValueTask.CompletedTask
            : stream.WriteAsync(columns, columns.RowCount, cancellationToken);
    }

    /// <summary>Writes events as one message.</summary>
    /// <param name="stream">The stream.</param>
    /// <param name="columns">The events; the same holds as for points.</param>
    /// <param name="cancellationToken">Gives up waiting; the events are then not written.</param>
    /// <inheritdoc cref="WriteColumnsAsync(IngestStream{GpsPoint}, GpsPointColumns, CancellationToken)"/>
    public static ValueTask WriteColumnsAsync(
        this IngestStream<Event> stream, EventColumns columns, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(columns);
        return columns.RowCount == 0
            ? ValueTask.CompletedTask
            : stream.WriteAsync(columns, columns.RowCount, cancellationToken);
    }
}
