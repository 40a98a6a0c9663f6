using Ingest.Columns;
using Ingest.Decoding;
using Ingest.V1;

namespace Ingest;

/// <summary>The rejected rows of a stream on their way to the dead letters.</summary>
/// <remarks>The stream's thread alone. Not hot: a dead letter is a message of its own.</remarks>
internal sealed class Rejections(IngestTable table, DeadLetters deadLetters, Metrics metrics)
{
    // What one request full of bad rows blew up is let go.
    private const int RowsKept = 1024;

    /// <summary>The rejected rows of the request that is being taken.</summary>
    public List<RejectedRow> Rows { get; } = [];

    /// <summary>Keeps the rows as dead letters.</summary>
    /// <param name="sink">Who is told when they are durable.</param>
    /// <param name="request">The request's bytes.</param>
    /// <param name="producerId">The sender's stable id, or empty.</param>
    /// <param name="offset">Offset of the request's first row.</param>
    public void Keep(AppendSink sink, ReadOnlySpan<byte> request, string producerId, long offset)
    {
        foreach (RejectedRow row in Rows)
        {
            metrics.OnRejected(table.Schema.Name, row.Fault.Code);
            deadLetters.Add(
                sink, table.Schema.Name, row.BytesIn(request), row.Fault, producerId,
                offset + row.Index);
        }
    }

    /// <summary>Forgets the rows: the request has been taken, or refused.</summary>
    public void Clear()
    {
        Rows.Clear();
        if (Rows.Capacity > RowsKept)
        {
            Rows.Capacity = RowsKept;
        }
    }

    /// <summary>What the sender is told of a row.</summary>
    /// <param name="row">Offset of the row.</param>
    /// <param name="fault">What is wrong with it.</param>
    public static RowError ErrorOf(long row, in RowFault fault) =>
        new() { Row = row, Field = fault.Field, Code = fault.Code, Message = fault.Message };
}
