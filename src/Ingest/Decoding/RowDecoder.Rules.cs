using Ingest.Columns;
using Ingest.V1;

namespace Ingest.Decoding;

// What a row that has been read has to satisfy.
public sealed partial class RowDecoder
{
    private bool Satisfies(Batch batch, int row, long nowSeconds, out RowFault fault)
    {
        fault = default;
        if (batch.UnreadableText is { } unreadable)
        {
            fault = new RowFault(unreadable.Node.Path, RowErrorCode.InvalidUtf8, "not valid UTF-8");
            return false;
        }

        if (batch.ItemOutOfRange is { } list)
        {
            fault = new RowFault(list.Node.Path, RowErrorCode.OutOfRange, "has a time that cannot be stored");
            return false;
        }

        if (batch.NameTooLong is { } names)
        {
            fault = new RowFault(
                names.Node.Path, RowErrorCode.TooLong, $"has a name of more than {RowScratch.MaxNameBytes} bytes");
            return false;
        }

        ulong[] seen = batch.Seen;
        for (int word = 0; word < seen.Length; word++)
        {
            if ((_requiredBits[word] & ~seen[word]) != 0)
            {
                fault = FirstMissing(seen);
                return false;
            }
        }

        foreach (Absence absence in _nestedAbsences)
        {
            if (absence.IsIn(seen))
            {
                fault = absence.Fault;
                return false;
            }
        }

        foreach (RowCheck check in _checks)
        {
            if ((seen[check.Word] & check.Bit) != 0 && !check.IsSatisfied(batch, row, nowSeconds))
            {
                fault = check.Fault();
                return false;
            }
        }

        return true;
    }

    // By itself: a lambda here would cost every row its closure.
    private RowFault FirstMissing(ulong[] seen) => Array.Find(_required, r => r.IsIn(seen))!.Fault;
}
