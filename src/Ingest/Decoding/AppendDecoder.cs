using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Google.Protobuf;
using Ingest.Columns;
using Ingest.V1;

namespace Ingest.Decoding;

/// <summary>
/// Reads AppendRequests from their bytes: what kind of request it is, its offset, and where its rows lie. Of a oneof
/// the last member counts, and a member that comes in pieces is merged, as protobuf has it.
/// </summary>
/// <remarks>
/// Hot, as <see cref="RowDecoder"/>: on the thread that reads a stream, 0 bytes a request in steady state. It has the
/// state of the request that was read last, so every stream has its own.
/// </remarks>
public sealed class AppendDecoder
{
    private const uint OpenTag = (AppendRequest.OpenFieldNumber << 3) | Wire.Len;
    private const uint RowsTag = (AppendRequest.RowsFieldNumber << 3) | Wire.Len;
    private const uint OffsetTag = (AppendRows.OffsetFieldNumber << 3) | Wire.Varint;
    private const uint RowTag = (1 << 3) | Wire.Len;

    // What a later member replaces is checked by these alone: it is read no further.
    private static readonly MessageLayout s_openLayout = MessageLayout.Of(AppendOpen.Descriptor, []);
    private static readonly MessageLayout s_rowsLayout = MessageLayout.Of(AppendRows.Descriptor, []);

    private readonly List<(int Start, int Length)> _open = [];
    private readonly List<(int Start, int Length)> _rows = [];

    /// <summary>What the request is.</summary>
    public AppendRequest.RequestOneofCase Kind { get; private set; }

    /// <summary>In which form it has rows.</summary>
    public AppendRows.RowsOneofCase Form { get; private set; }

    /// <summary>Offset of its first row.</summary>
    public long Offset { get; private set; }

    /// <summary>Reads a request.</summary>
    /// <returns>False when its bytes are not a message.</returns>
    public bool TryRead(ReadOnlySpan<byte> request)
    {
        (Kind, Form, Offset) = (AppendRequest.RequestOneofCase.None, AppendRows.RowsOneofCase.None, 0);
        _open.Clear();
        _rows.Clear();
        int at = 0;
        int end = request.Length;
        ref byte source = ref MemoryMarshal.GetReference(request);
        while (at < end)
        {
            at = Wire.ReadTag(ref source, at, end, out uint tag);
            if (at < 0)
            {
                return false;
            }

            if (tag is not (OpenTag or RowsTag))
            {
                at = Wire.Skip(ref source, at, end, tag, depth: 1);
            }
            else
            {
                at = Wire.ReadLength(ref source, at, end, out int length);
                if (at < 0 || (tag == RowsTag && !TryReadRows(ref source, at, at + length)))
                {
                    return false;
                }

                if (tag == OpenTag)
                {
                    if (!TryDropRows(ref source))
                    {
                        return false;
                    }

                    (Kind, Form, Offset) = (AppendRequest.RequestOneofCase.Open, AppendRows.RowsOneofCase.None, 0);
                    _open.Add((at, length));
                }

                at += length;
            }

            if (at < 0)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Reads the open message of the request that was read last; null when its bytes are not one.</summary>
    public AppendOpen? ReadOpen(ReadOnlySpan<byte> request)
    {
        try
        {
            var open = new AppendOpen();
            foreach ((int start, int length) in _open)
            {
                open.MergeFrom(request.Slice(start, length));
            }

            return open;
        }
        catch (InvalidProtocolBufferException)
        {
            return null;
        }
    }

    /// <summary>Appends the rows of the request that was read last to a batch.</summary>
    /// <param name="request">The request's bytes.</param>
    /// <param name="requests">Reads the table's rows.</param>
    /// <param name="batch">A batch of the table.</param>
    /// <param name="skip">Rows at the start that are left out.</param>
    /// <param name="nowSeconds">The server's clock in Unix seconds, against which timestamps are checked.</param>
    /// <param name="accepted">Takes the runs of accepted rows; the caller has emptied it.</param>
    /// <param name="rejected">Takes the rows that break a rule; the caller has emptied it.</param>
    /// <param name="count">Rows of the request, those left out included.</param>
    /// <returns>What became of them; if they were not decoded, the batch is as it was.</returns>
    public RequestResult TryAppend(
        ReadOnlySpan<byte> request, RequestDecoder requests, Batch batch, long skip, long nowSeconds,
        List<RowRun> accepted, List<RejectedRow> rejected, out int count)
    {
        int before = batch.RowCount;
        if (Form is AppendRows.RowsOneofCase.GpsPointColumns or AppendRows.RowsOneofCase.EventColumns)
        {
            // The form was held to the table's.
            RequestResult result = requests.Columns!.TryAppend(
                request, _rows, batch, skip, firstIndex: 0, requests.MaxRows, nowSeconds, rejected,
                out count);
            if (result != RequestResult.Decoded)
            {
                return GiveBack(batch, before, result);
            }

            AddRuns(accepted, rejected, (int)Math.Min(skip, count), count, before);
            return result;
        }

        RowDecoder rows = requests.Rows;
        (int index, int runIndex, int runRow) = (0, 0, before);
        count = 0;
        ref byte source = ref MemoryMarshal.GetReference(request);
        foreach ((int start, int length) in _rows)
        {
            int end = start + length;
            for (int at = start; at < end;)
            {
                if (!TryFindRow(ref source, ref at, end, out int rowLength))
                {
                    return GiveBack(batch, before, RequestResult.Malformed);
                }

                if (rowLength < 0)
                {
                    continue;
                }

                if (index == requests.MaxRows)
                {
                    return GiveBack(batch, before, RequestResult.TooManyRows);
                }

                if (index >= skip)
                {
                    RowResult result = rows.TryAppend(
                        ref source, at, at + rowLength, request.Length, batch, nowSeconds, out RowFault fault);
                    if (result == RowResult.Malformed)
                    {
                        return GiveBack(batch, before, RequestResult.Malformed);
                    }

                    if (result == RowResult.Rejected)
                    {
                        EndRun(accepted, runIndex, runRow, batch.RowCount);
                        (runIndex, runRow) = (index + 1, batch.RowCount);
                        rejected.Add(new RejectedRow(index, at, rowLength, fault));
                    }
                }
                else
                {
                    runIndex = index + 1;
                }

                index++;
                at += rowLength;
            }
        }

        EndRun(accepted, runIndex, runRow, batch.RowCount);
        count = index;
        return RequestResult.Decoded;
    }

    // Between the rejected rows.
    private static void AddRuns(List<RowRun> accepted, List<RejectedRow> rejected, int index, int count, int row)
    {
        foreach (RejectedRow bad in rejected)
        {
            EndRun(accepted, index, row, row + bad.Index - index);
            (index, row) = (bad.Index + 1, row + bad.Index - index);
        }

        EndRun(accepted, index, row, row + count - index);
    }

    private static void EndRun(List<RowRun> accepted, int index, int row, int end)
    {
        if (end > row)
        {
            accepted.Add(new RowRun(index, row, end - row));
        }
    }

    private static RequestResult GiveBack(Batch batch, int rows, RequestResult result)
    {
        if (batch.RowCount > rows)
        {
            batch.Truncate(rows);
        }

        return result;
    }

    // Leaves the place at the row's first byte; of another field behind it, with a length of -1.
    private static bool TryFindRow(ref byte source, ref int at, int end, out int length)
    {
        length = -1;
        at = Wire.ReadTag(ref source, at, end, out uint tag);
        if (at >= 0)
        {
            at = tag == RowTag
                ? Wire.ReadLength(ref source, at, end, out length)
                : Wire.Skip(ref source, at, end, tag, depth: 3);
        }

        return at >= 0;
    }

    private bool TryReadRows(ref byte source, int at, int end)
    {
        if (Kind != AppendRequest.RequestOneofCase.Rows)
        {
            Kind = AppendRequest.RequestOneofCase.Rows;
            if (!TryDropOpen(ref source))
            {
                return false;
            }
        }

        while (at < end)
        {
            at = Wire.ReadTag(ref source, at, end, out uint tag);
            if (at < 0)
            {
                return false;
            }

            if (tag == OffsetTag)
            {
                at = Wire.ReadVarint(ref source, at, end, out ulong offset);
                Offset = (long)offset;
            }
            else if ((tag & 7) == Wire.Len && tag >> 3
                is >= AppendRows.GpsPointsFieldNumber and <= AppendRows.SerializedFieldNumber)
            {
                at = Wire.ReadLength(ref source, at, end, out int length);
                if (at >= 0)
                {
                    if (!TryAddRows(ref source, (AppendRows.RowsOneofCase)(tag >> 3), at, length))
                    {
                        return false;
                    }

                    at += length;
                }
            }
            else
            {
                at = Wire.Skip(ref source, at, end, tag, depth: 2);
            }

            if (at < 0)
            {
                return false;
            }
        }

        return true;
    }

    private bool TryAddRows(ref byte source, AppendRows.RowsOneofCase form, int start, int length)
    {
        if (Form != form)
        {
            if (!TryDropRows(ref source))
            {
                return false;
            }

            Form = form;
        }

        _rows.Add((start, length));
        return true;
    }

    // A message in which a replaced member is broken is no message, to Google.Protobuf either.
    private bool TryDropRows(ref byte source)
    {
        bool isText = true;
        foreach ((int start, int length) in _rows)
        {
            FieldLayout member = s_rowsLayout.Find(((uint)Form << 3) | Wire.Len)!;
            if (!WireCheck.IsValue(ref source, start, start + length, member, depth: 2, ref isText))
            {
                return false;
            }
        }

        _rows.Clear();
        return true;
    }

    private bool TryDropOpen(ref byte source)
    {
        bool isText = true;
        foreach ((int start, int length) in _open)
        {
            if (!WireCheck.IsMessage(ref source, start, start + length, s_openLayout, depth: 2, ref isText))
            {
                return false;
            }
        }

        _open.Clear();
        return true;
    }
}
