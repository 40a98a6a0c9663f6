using Google.Protobuf;
using Ingest.Log.Inspection;

namespace Ingest.Cli.DeadLetters;

/// <summary>What a dead letter's row says.</summary>
internal static class LetterContent
{
    // Of a row that has no message; Ingest.Stores.Poison.RefusedRows writes it.
    private const string BlockReason = "REFUSED_BY_STORE_AS_BLOCK:";

    /// <summary>Whether the row is kept as a block, since no message could be made of it.</summary>
    public static bool IsBlock(Letter letter) => letter.Reason.StartsWith(BlockReason, StringComparison.Ordinal);

    /// <summary>The row as protobuf's JSON; as base64 when its table is not known here or it cannot be read.</summary>
    public static string Describe(Letter letter)
    {
        if (IsBlock(letter))
        {
            return string.Join('\n', QuarantineDirectory.RowsOf(letter.Row)
                .SelectMany(row => row.Select(column => $"{column.Key} = {column.Value}")));
        }
        var table = IngestPipeline.Tables.FirstOrDefault(table => table.Name == letter.Table);
        try
        {
            return table is null
                ? Convert.ToBase64String(letter.Row)
                : JsonFormatter.ToDiagnosticString(table.Message.Parser.ParseFrom(letter.Row));
        }
        catch (InvalidProtocolBufferException)
        {
            return Convert.ToBase64String(letter.Row);
        }
    }
}
