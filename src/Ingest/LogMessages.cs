using Ingest.Admission;
using Microsoft.Extensions.Logging;

namespace Ingest;

/// <summary>Every message that the project logs.</summary>
internal static partial class LogMessages
{
    [LoggerMessage(100, LogLevel.Information,
        "Log recovered in {Seconds:F1} s: {Segments} segments, {Rows} rows, {Bytes} bytes; {CutBytes} bytes behind "
        + "their last blocks cut off")]
    public static partial void LogRecovered(
        this ILogger logger, double seconds, int segments, long rows, long bytes, long cutBytes);

    [LoggerMessage(101, LogLevel.Error,
        "Damaged bytes in the log: {Path} at {Offset}, {Length} bytes, {Rows} rows: {Reason}; moved to {Quarantine}")]
    public static partial void BlockQuarantined(
        this ILogger logger, string path, long offset, long length, int rows, string reason, string quarantine);

    [LoggerMessage(102, LogLevel.Warning,
        "The log holds {Segments} segments, {Bytes} bytes, of table {Table}, which no schema declares; they are kept "
        + "until one does")]
    public static partial void UnknownTableKept(this ILogger logger, string table, int segments, long bytes);

    [LoggerMessage(103, LogLevel.Error,
        "Table {Table}: the log could not be written, {Senders} senders are told; the next rows go to a new segment")]
    public static partial void GroupFailed(this ILogger logger, string table, int senders, Exception cause);

    [LoggerMessage(104, LogLevel.Debug, "Table {Table}: segment {SegmentId} sealed, {Rows} rows, {Bytes} bytes")]
    public static partial void SegmentSealed(
        this ILogger logger, string table, ulong segmentId, long rows, long bytes);

    [LoggerMessage(105, LogLevel.Warning,
        "Segment {Path} is in the store but could not be deleted; the next start asks the store for it")]
    public static partial void SegmentNotDeleted(this ILogger logger, string path, Exception cause);

    [LoggerMessage(118, LogLevel.Warning, "{Path} is not needed but could not be deleted; the next start does it")]
    public static partial void SpareNotDeleted(this ILogger logger, string path, Exception cause);

    [LoggerMessage(106, LogLevel.Error, "A sender of table {Table} failed when it was told what became of its rows")]
    public static partial void SinkFailed(this ILogger logger, string table, Exception cause);

    [LoggerMessage(107, LogLevel.Warning,
        "Segment {Path} was written in data directory {Directory}, not in this one; it keeps that name in its token")]
    public static partial void ForeignSegment(this ILogger logger, string path, Guid directory);

    [LoggerMessage(108, LogLevel.Error,
        "Table {Table}: the log stopped with {Batches} batches still in senders' hands; their rows are refused")]
    public static partial void BatchesOutstanding(this ILogger logger, string table, int batches);

    [LoggerMessage(109, LogLevel.Warning,
        "Data directory {DataDirectory} has lost its identity file; its segments keep the one they were written under")]
    public static partial void IdentityLost(this ILogger logger, string dataDirectory);

    [LoggerMessage(110, LogLevel.Error,
        "{Path} is damaged: rows of a group that failed in an earlier run may come back")]
    public static partial void EndDamaged(this ILogger logger, string path, Exception cause);

    [LoggerMessage(111, LogLevel.Warning,
        "The end of {Path} from {Offset} on, {Length} bytes, is torn: not acknowledged if the machine lost power then; "
        + "kept as {Quarantine}")]
    public static partial void TailKept(
        this ILogger logger, string path, long offset, long length, string quarantine);

    [LoggerMessage(112, LogLevel.Error,
        "It could not be written down where {Path} ends after a failed write; rows that were refused may come back")]
    public static partial void EndNotRecorded(this ILogger logger, string path, Exception cause);

    [LoggerMessage(113, LogLevel.Error,
        "{Path}, which remembers producers, could not be written; {Segments} sealed segments wait for it")]
    public static partial void ProducersNotSaved(this ILogger logger, string path, int segments, Exception cause);

    [LoggerMessage(114, LogLevel.Error,
        "{Path}, which remembers producers, has {Bytes} damaged bytes; kept as {Quarantine}. Producers may be told an earlier "
        + "offset than they had")]
    public static partial void ProducersDamaged(this ILogger logger, string path, long bytes, string quarantine);

    [LoggerMessage(115, LogLevel.Warning,
        "It could not be written down yet where {Path} ends after a failed write; the store gets it when it is")]
    public static partial void EndNotRecordedYet(this ILogger logger, string path, Exception cause);

    [LoggerMessage(116, LogLevel.Error,
        "Table {Table}: a batch was lost to an exception while it was filled, {Senders} senders are told")]
    public static partial void BatchLost(this ILogger logger, string table, int senders, Exception cause);

    [LoggerMessage(117, LogLevel.Error, "A listener to table {Table} failed when it was shown a block")]
    public static partial void ListenerFailed(this ILogger logger, string table, Exception cause);

    [LoggerMessage(120, LogLevel.Warning,
        "Memory is {State}: {UsedBytes} of {LimitBytes} bytes, of which senders hold {BufferedBytes} of {BufferLimit}")]
    public static partial void MemoryStateChanged(
        this ILogger logger, Pressure state, long usedBytes, long limitBytes, long bufferedBytes, long bufferLimit);

    [LoggerMessage(121, LogLevel.Warning,
        "The log's disk is {State}: {UsedBytes} of {LimitBytes} bytes wait for the store")]
    public static partial void LogStateChanged(this ILogger logger, Pressure state, long usedBytes, long limitBytes);

    [LoggerMessage(200, LogLevel.Warning,
        "Table {Table}: try {Try} to store a segment failed, the next comes in {Delay}: {Reason}")]
    public static partial void InsertFailed(
        this ILogger logger, string table, int @try, TimeSpan delay, string reason);

    [LoggerMessage(201, LogLevel.Debug,
        "Table {Table}: segment {SegmentId} is in the store, {Rows} rows, {Bytes} bytes, inserted now: {Inserted}")]
    public static partial void SegmentStored(
        this ILogger logger, string table, ulong segmentId, long rows, long bytes, bool inserted);

    [LoggerMessage(202, LogLevel.Error,
        "Table {Table}: the store refuses segment {SegmentId}, {Rows} rows, for its data; it is kept as {Path}: {Reason}")]
    public static partial void SegmentQuarantined(
        this ILogger logger, string table, ulong segmentId, long rows, string path, string reason);

    [LoggerMessage(203, LogLevel.Critical, "Table {Table}: the store writer failed; its segments wait for the next start")]
    public static partial void StoreTableFailed(this ILogger logger, string table, Exception cause);

    [LoggerMessage(204, LogLevel.Warning,
        "The store cannot be used yet, rows wait in the log until it can: {Reason}")]
    public static partial void StoreAway(this ILogger logger, string reason);

    [LoggerMessage(205, LogLevel.Warning,
        "Table {Table}: the store refuses segment {SegmentId}, {Rows} rows, for its data; it is halved until the bad rows "
        + "stand alone: {Reason}")]
    public static partial void SegmentRefused(
        this ILogger logger, string table, ulong segmentId, long rows, string reason);

    [LoggerMessage(206, LogLevel.Warning,
        "Table {Table}: of refused segment {SegmentId} {Stored} rows are stored and {DeadLetters} are in dead_letters")]
    public static partial void SegmentBisected(
        this ILogger logger, string table, ulong segmentId, long stored, long deadLetters);

    [LoggerMessage(207, LogLevel.Error,
        "Table {Table}: of refused segment {SegmentId} {Rows} rows are kept as {Path}, see ingest log quarantine: {Reason}")]
    public static partial void RowsQuarantined(
        this ILogger logger, string table, ulong segmentId, long rows, string path, string reason);

    [LoggerMessage(208, LogLevel.Error,
        "Table {Table}: refused segment {SegmentId} cannot be taken apart now, the next try comes in {Delay}")]
    public static partial void BisectionHeldUp(
        this ILogger logger, string table, ulong segmentId, TimeSpan delay, Exception cause);

    [LoggerMessage(300, LogLevel.Error,
        "Version {Number} of table {Table} in {Path} cannot be read; segments and senders of that version are taken for the "
        + "current one: {Reason}")]
    public static partial void SchemaVersionLost(
        this ILogger logger, string table, int number, string path, string reason);

    [LoggerMessage(301, LogLevel.Warning, "Schema refused, what was in force stays: {Reason}")]
    public static partial void SchemaRefused(this ILogger logger, string reason);

    [LoggerMessage(302, LogLevel.Information,
        "Table {Table} takes rows: {Columns} columns, schema fingerprint {Fingerprint}")]
    public static partial void TableInForce(this ILogger logger, string table, int columns, string fingerprint);

    [LoggerMessage(303, LogLevel.Error, "Schemas could not be reloaded, what was in force stays")]
    public static partial void ReloadFailed(this ILogger logger, Exception cause);

    [LoggerMessage(400, LogLevel.Error,
        "Table {Table}: {Updates} updates could not be made durable, the next try comes in {Delay}")]
    public static partial void UpdatesNotDurable(
        this ILogger logger, string table, int updates, TimeSpan delay, Exception cause);

    [LoggerMessage(401, LogLevel.Error, "{Path} is damaged, so what it said is not known any more: {Reason}")]
    public static partial void TopicFileDamaged(this ILogger logger, string path, string reason);

    [LoggerMessage(402, LogLevel.Error, "{Path} could not be written; the next change tries again")]
    public static partial void TopicFileNotWritten(this ILogger logger, string path, Exception cause);

    [LoggerMessage(403, LogLevel.Warning,
        "Topics of table {Table} begin new epochs: {Written} updates were written since they were last noted, {Found} of them "
        + "are found")]
    public static partial void EpochsEnded(this ILogger logger, string table, long written, long found);

    [LoggerMessage(404, LogLevel.Error, "The updates in {Path} cannot be read")]
    public static partial void UpdatesUnreadable(this ILogger logger, string path, Exception cause);

    [LoggerMessage(405, LogLevel.Warning, "The store cannot be read, so topics begin without what it has: {Reason}")]
    public static partial void TopicsNotRefilled(this ILogger logger, string reason);

    [LoggerMessage(406, LogLevel.Warning,
        "Topic {Topic}: updates from {From} to {To} could not be read from the store, a subscriber gets a gap: {Reason}")]
    public static partial void OlderUpdatesUnread(
        this ILogger logger, string topic, long from, long to, string reason);
}
