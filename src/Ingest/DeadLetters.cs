using System.Buffers;
using System.Diagnostics;
using Google.Protobuf;
using Ingest.Columns;
using Ingest.Decoding;
using Ingest.Log;
using Ingest.V1;

namespace Ingest;

/// <summary>Keeps rows that were rejected, with the reason, as rows of a table of their own.</summary>
public sealed class DeadLetters
{
    private readonly IngestTable _table;

    internal DeadLetters(IngestTable table) => _table = table;

    /// <summary>Their way into the log.</summary>
    internal Lane Lane => _table.Lane;

    /// <summary>Keeps a row. The sink is told when it is durable, by an entry with one row.</summary>
    /// <param name="sink">Who is told.</param>
    /// <param name="table">The table that the row was meant for.</param>
    /// <param name="row">The row as it came.</param>
    /// <param name="fault">Why it was rejected.</param>
    /// <param name="producerId">The sender's stable id, or empty.</param>
    /// <param name="offset">Offset of the row in the sender's stream.</param>
    public void Add(
        AppendSink sink, string table, ReadOnlySpan<byte> row, in RowFault fault, string producerId, long offset)
    {
        var letter = new DeadLetter
        {
            Table = table,
            Reason = $"{ReasonName(fault.Code)}: {fault.Message}",
            Field = fault.Field,
            Row = ByteString.CopyFrom(row),
            ProducerOffset = offset,
        };
        int size = letter.CalculateSize();
        byte[] bytes = ArrayPool<byte>.Shared.Rent(size);
        letter.WriteTo(bytes.AsSpan(0, size));
        Batch batch = _table.Lane.Rent();
        int place = batch.RowCount;
        try
        {
            RowResult result = _table.Rows.TryAppend(bytes.AsSpan(0, size), batch, 0, out _);
            Debug.Assert(result == RowResult.Accepted, "a dead letter has no rules to break");
            batch.AddEntry(new BatchEntry(sink, producerId, BatchEntry.NoSession, offset, 1, place, 1));
        }
        catch (Exception e)
        {
            _table.Lane.GiveBack(batch, place, e);
            throw;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }

        _table.Lane.Return(batch);
    }

    /// <summary>Name of a reason as the column and metrics have it, <c>OUT_OF_RANGE</c>.</summary>
    public static string ReasonName(RowErrorCode code) => code switch
    {
        RowErrorCode.Missing => "MISSING",
        RowErrorCode.OutOfRange => "OUT_OF_RANGE",
        RowErrorCode.TooLong => "TOO_LONG",
        RowErrorCode.InvalidUtf8 => "INVALID_UTF8",
        RowErrorCode.UnknownField => "UNKNOWN_FIELD",
        _ => "UNSPECIFIED",
    };
}
