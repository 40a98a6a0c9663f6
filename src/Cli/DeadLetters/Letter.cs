namespace Ingest.Cli.DeadLetters;

/// <summary>A dead letter.</summary>
/// <param name="Id">Its id: it follows from the letter, so it is the same whenever it is asked for.</param>
/// <param name="ReceivedAt">When its segment was opened.</param>
/// <param name="Table">The table that the row was meant for.</param>
/// <param name="Reason">Why it was rejected.</param>
/// <param name="Field">The field at fault, or empty.</param>
/// <param name="ProducerId">Who sent it, or empty.</param>
/// <param name="ProducerOffset">Its offset there; -1 when that is not known.</param>
/// <param name="Row">The serialized message.</param>
internal sealed record Letter(
    string Id, DateTimeOffset ReceivedAt, string Table, string Reason, string Field, string ProducerId,
    long ProducerOffset, byte[] Row);
