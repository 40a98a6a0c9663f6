using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using Ingest.Columns;
using Ingest.Decoding;
using Ingest.Log;
using Ingest.Schema;
using Ingest.Stores;

namespace Ingest.Feed;

/// <summary>Gives blocks again after a restart: from segments that are still in the log, or from the store.</summary>
/// <remarks>
/// Cold: rows are read back through their messages, some microseconds each. A row of the store that has no
/// <c>segment_row</c> has no known place in its segment, so a segment that the log has let go is given whole.
/// </remarks>
public static class BlockReplay
{
    private const int RowsABlock = 8192;

    private static readonly QueryLimits s_limits = new() { DefaultFormat = "Native", MaxDuration = TimeSpan.FromMinutes(10) };

    /// <summary>Reads a segment's blocks from its file, those with rows at or after a place. Blocks for the disk.</summary>
    /// <exception cref="IOException">The file is gone, or cannot be read.</exception>
    public static IEnumerable<CommittedBlock> ReadSegment(SealedSegment segment, BlockPlace from)
    {
        byte[] bytes = File.ReadAllBytes(segment.Path);
        long row = 0;
        for (int at = 0; at < segment.Length;)
        {
            BlockContent content = BlockContent.Read(bytes.AsMemory(at));
            at += content.Length;
            var place = new BlockPlace(segment.SegmentId, row);
            row += content.Rows;
            int first = from.SegmentId == segment.SegmentId ? (int)Math.Clamp(from.Row - place.Row, 0, content.Rows) : 0;
            if (first < content.Rows)
            {
                yield return Restore(segment.Table, content, first, content.Rows - first, place with { Row = place.Row + first });
            }
        }
    }

    /// <summary>Lists the segments of a table that the store has, the oldest first.</summary>
    /// <param name="store">The store.</param>
    /// <param name="table">The table.</param>
    /// <param name="from">The first segment.</param>
    /// <param name="to">The one after the last.</param>
    /// <param name="except">Segments that are left out.</param>
    /// <param name="cancellationToken">Ends the query.</param>
    /// <exception cref="StoreException">The store refused or failed.</exception>
    public static async Task<IReadOnlyList<(ulong Id, long Rows)>> ListStoredAsync(
        IStore store, TableSchema table, ulong from, ulong to, IReadOnlyCollection<ulong> except,
        CancellationToken cancellationToken)
    {
        string others = except.Count == 0 ? "" : $" AND segment_id NOT IN ({string.Join(", ", except)})";
        byte[] answer = await AnswerAsync(
            store, $"SELECT segment_id, count() FROM {SqlText.Identifier(table.Name)} WHERE segment_id >= {from} "
            + $"AND segment_id < {to}{others} GROUP BY segment_id ORDER BY segment_id FORMAT TabSeparated", cancellationToken);
        return
        [
            .. Encoding.UTF8.GetString(answer).Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(line => line.Split('\t'))
                .Select(row => (ulong.Parse(row[0], CultureInfo.InvariantCulture), long.Parse(row[1], CultureInfo.InvariantCulture))),
        ];
    }

    /// <summary>Reads a segment's rows from the store, in the order of their times.</summary>
    /// <param name="store">The store.</param>
    /// <param name="table">The table.</param>
    /// <param name="segmentId">The segment.</param>
    /// <param name="cancellationToken">Ends the query.</param>
    /// <exception cref="StoreException">The store refused or failed.</exception>
    public static async IAsyncEnumerable<CommittedBlock> ReadStoreAsync(
        IStore store, TableSchema table, ulong segmentId, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ColumnSchema[] columns = [.. table.Columns.Where(c => c.IsInserted && !IsSystem(c.Name))];
        string[] order = table.HasSegmentRows
            ? [TableSchema.SegmentRowColumn]
            : [.. columns.Where(c => c.Type.StartsWith("DateTime64", StringComparison.Ordinal)).Select(c => SqlText.Identifier(c.Name))];
        byte[] answer = await AnswerAsync(
            store, $"SELECT {string.Join(", ", columns.Select(c => SqlText.Identifier(c.Name)))} "
            + $"FROM {SqlText.Identifier(table.Name)} WHERE segment_id = {segmentId}"
            + (order.Length > 0 ? $" ORDER BY {string.Join(", ", order)}" : "") + " FORMAT Native", cancellationToken);
        ReadOnlyMemory<byte> left = answer;
        long row = 0;
        while (left.Length > 0)
        {
            BlockContent content = BlockContent.Read(left);
            left = left[content.Length..];
            for (int first = 0; first < content.Rows; first += RowsABlock)
            {
                int count = Math.Min(RowsABlock, content.Rows - first);
                yield return Restore(table, content, first, count, new BlockPlace(segmentId, row));
                row += count;
            }
        }
    }

    private static bool IsSystem(string column) => column
        is TableSchema.ProducerIdColumn or TableSchema.SegmentIdColumn or TableSchema.SegmentRowColumn;

    private static async Task<byte[]> AnswerAsync(IStore store, string query, CancellationToken cancellationToken)
    {
        using var bytes = new MemoryStream();
        await foreach (ReadOnlyMemory<byte> piece in store.QueryAsync(query, s_limits, cancellationToken))
        {
            bytes.Write(piece.Span);
        }

        return bytes.ToArray();
    }

    private static CommittedBlock Restore(TableSchema table, BlockContent content, int first, int count, BlockPlace place)
    {
        var batch = new Batch(table);
        var encoder = new RowEncoder(table);
        var decoder = new RowDecoder(table);
        for (int row = first; row < first + count; row++)
        {
            // By a clock that is past all times: the clock was looked at when the row came. A row that its table no
            // longer takes keeps its place, with nothing in it but what can be read.
            if (!TryAppend(withDefaults: false) && !TryAppend(withDefaults: true))
            {
                batch.AppendDefaults();
            }

            bool TryAppend(bool withDefaults) => encoder.Encode(content, row, withDefaults) is { } message
                && decoder.TryAppend(message, batch, long.MaxValue / 2, out _) == RowResult.Accepted;
        }

        batch.ForgetProducers();
        return new CommittedBlock(batch, place, SegmentIds.TimeOf(place.SegmentId), recycle: null);
    }
}
