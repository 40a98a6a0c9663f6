using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Ingest.Columns;

namespace Ingest.Decoding;

/// <summary>
/// Reads requests of the client-streaming methods: field 1, rows of a table, and field 2, further rows as columns. A
/// request is taken whole or not at all.
/// </summary>
/// <remarks>Hot, as <see cref="RowDecoder"/>: on the thread that reads a stream, 0 bytes a row.</remarks>
public sealed class RequestDecoder(RowDecoder rows)
{
    private const uint RowTag = (1 << 3) | Wire.Len;
    private const uint ColumnsTag = (2 << 3) | Wire.Len;

    /// <summary>
    /// Rows that a request may have; default no limit. Two bytes on the wire can be a row of hundreds of empty columns.
    /// </summary>
    public int MaxRows { get; init; } = int.MaxValue;

    /// <summary>Reads a row.</summary>
    public RowDecoder Rows => rows;

    /// <summary>Reads rows that come as columns; null for a table that has no such form.</summary>
    public ColumnsDecoder? Columns { get; } =
        ColumnForms.Of(rows.Table.Message) is { } form ? new ColumnsDecoder(rows, form) : null;

    /// <summary>Appends the rows of a request to a batch.</summary>
    /// <param name="request">The serialized request.</param>
    /// <param name="batch">A batch of the table.</param>
    /// <param name="nowSeconds">The server's clock in Unix seconds, against which timestamps are checked.</param>
    /// <param name="rejected">Takes the rows that break a rule; the caller has emptied it.</param>
    public RequestResult TryAppend(
        ReadOnlySpan<byte> request, Batch batch, long nowSeconds, List<RejectedRow> rejected)
    {
        int before = batch.RowCount;
        bool hasColumns = false;
        int index = 0;
        int at = 0;
        int end = request.Length;
        ref byte source = ref MemoryMarshal.GetReference(request);
        while (at < end)
        {
            at = Wire.ReadTag(ref source, at, end, out uint tag);
            bool isColumns = tag == ColumnsTag && Columns is not null;
            if (at >= 0 && tag != RowTag && !isColumns)
            {
                at = Wire.Skip(ref source, at, end, tag, depth: 1);
                if (at >= 0)
                {
                    continue;
                }
            }

            int length = 0;
            if (at < 0 || (at = Wire.ReadLength(ref source, at, end, out length)) < 0)
            {
                return GiveBack(batch, before, RequestResult.Malformed);
            }

            if (isColumns)
            {
                AddPiece(batch, at, length, ref hasColumns);
                at += length;
                continue;
            }

            if (index == MaxRows)
            {
                return GiveBack(batch, before, RequestResult.TooManyRows);
            }

            RowResult result = rows.TryAppend(
                ref source, at, at + length, end, batch, nowSeconds, out RowFault fault);
            if (result != RowResult.Accepted)
            {
                if (result == RowResult.Malformed)
                {
                    return GiveBack(batch, before, RequestResult.Malformed);
                }

                rejected.Add(new RejectedRow(index, at, length, fault));
            }

            index++;
            at += length;
        }

        if (!hasColumns)
        {
            return RequestResult.Decoded;
        }

        // Rows before columns, wherever they stand.
        RequestResult columns = Columns!.TryAppend(
            request, batch.ColumnsScratch.Pieces, batch, skip: 0, index, MaxRows, nowSeconds, rejected, out _);
        return columns == RequestResult.Decoded ? columns : GiveBack(batch, before, columns);
    }

    private static void AddPiece(Batch batch, int start, int length, ref bool hasColumns)
    {
        List<(int Start, int Length)> pieces = batch.ColumnsScratch.Pieces;
        if (!hasColumns)
        {
            pieces.Clear();
            hasColumns = true;
        }

        pieces.Add((start, length));
    }

    private static RequestResult GiveBack(Batch batch, int rows, RequestResult result)
    {
        if (batch.RowCount > rows)
        {
            batch.Truncate(rows);
        }

        return result;
    }
}
