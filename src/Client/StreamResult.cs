using Ingest.V1;

namespace Ingest.Client;

/// <summary>What became of the rows of a stream. What was accepted is durable.</summary>
/// <param name="AcceptedCount">Rows that are durable.</param>
/// <param name="RejectedCount">Rows that went to the table <c>dead_letters</c>.</param>
/// <param name="Errors">
/// The first 100 rejected rows; <see cref="RowError.Row"/> counts the stream's rows from 0, in the order in which they
/// were written.
/// </param>
public sealed record StreamResult(long AcceptedCount, long RejectedCount, IReadOnlyList<RowError> Errors);
