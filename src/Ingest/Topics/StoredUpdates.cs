using System.Buffers;
using System.Globalization;
using System.Runtime.InteropServices;
using Ingest.Decoding;
using Ingest.Stores;

namespace Ingest.Topics;

/// <summary>Updates that the store has.</summary>
/// <remarks>Cold: for subscribers that read what memory no longer has, and for the start.</remarks>
internal sealed class StoredUpdates(IStore store)
{
    /// <summary>Most updates of one answer.</summary>
    public const int PageRows = 4096;

    private const int PageBytes = 8 << 20;

    private static readonly QueryLimits s_limits = new()
    {
        DefaultFormat = "RowBinary", MaxDuration = TimeSpan.FromSeconds(30),
    };

    /// <summary>
    /// Reads updates of a topic by rising offsets, each once; fewer than there are when they are many.
    /// </summary>
    /// <param name="kind">What the topic's payloads are.</param>
    /// <param name="topic">Name of the topic.</param>
    /// <param name="epoch">Epoch.</param>
    /// <param name="from">First offset.</param>
    /// <param name="to">Offset behind the last.</param>
    /// <param name="cancellationToken">Ends the query.</param>
    /// <exception cref="StoreException">The store cannot be read.</exception>
    public Task<List<TopicUpdate>> ReadAsync(
        PayloadKind kind, string topic, string epoch, long from, long to, CancellationToken cancellationToken) =>
        SelectAsync($"{Source(kind, topic, epoch, from, to)} ORDER BY offset LIMIT {PageRows}", cancellationToken);

    /// <summary>
    /// Reads the last updates of a topic before an offset, by falling offsets; fewer than there are when they are
    /// many.
    /// </summary>
    /// <exception cref="StoreException">The store cannot be read.</exception>
    public Task<List<TopicUpdate>> ReadBackwardsAsync(
        PayloadKind kind, string topic, string epoch, long to, CancellationToken cancellationToken) =>
        SelectAsync($"{Source(kind, topic, epoch, 0, to)} ORDER BY offset DESC LIMIT {PageRows}", cancellationToken);

    /// <summary>How many updates of a topic the store has in a range of offsets.</summary>
    /// <exception cref="StoreException">The store cannot be read.</exception>
    public async Task<long> CountAsync(
        PayloadKind kind, string topic, string epoch, long from, long to, CancellationToken cancellationToken)
    {
        long[] numbers = await AskNumbersAsync(
            $"SELECT toInt64(uniqExact(offset)) {Condition(kind, topic, epoch, from, to)}", 1, cancellationToken)
            .ConfigureAwait(false);
        return numbers[0];
    }

    /// <summary>The first offset that was emitted at or after a time; null when the store has none.</summary>
    /// <param name="kind">What the topic's payloads are.</param>
    /// <param name="topic">Name of the topic.</param>
    /// <param name="epoch">Epoch.</param>
    /// <param name="micros">The time, Unix microseconds; the least number for any.</param>
    /// <param name="cancellationToken">Ends the query.</param>
    /// <exception cref="StoreException">The store cannot be read.</exception>
    public async Task<long?> FindAsync(
        PayloadKind kind, string topic, string epoch, long micros, CancellationToken cancellationToken)
    {
        string condition = Condition(kind, topic, epoch, 0, long.MaxValue);
        string isLater = micros == long.MinValue ? "" : string.Create(
            CultureInfo.InvariantCulture, $" AND toUnixTimestamp64Micro(emitted_at) >= {micros}");
        long[] numbers = await AskNumbersAsync(
            $"SELECT toInt64(min(offset)), toInt64(count()) {condition}{isLater}", 2, cancellationToken)
            .ConfigureAwait(false);
        return numbers[1] > 0 ? numbers[0] : null;
    }

    private static string Source(PayloadKind kind, string topic, string epoch, long from, long to) =>
        $"SELECT update {Condition(kind, topic, epoch, from, to)}";

    private static string Condition(PayloadKind kind, string topic, string epoch, long from, long to) => string.Create(
        CultureInfo.InvariantCulture,
        $"FROM {SqlText.Identifier(kind.Table)} WHERE topic = {SqlText.Literal(topic)} "
        + $"AND epoch = {SqlText.Literal(epoch)} AND offset >= {from} AND offset < {to}");

    private async Task<List<TopicUpdate>> SelectAsync(string query, CancellationToken cancellationToken)
    {
        byte[] answer = await AskAsync(query, cancellationToken).ConfigureAwait(false);
        var updates = new List<TopicUpdate>();
        for (int at = 0; at < answer.Length;)
        {
            int start = Wire.ReadLength(ref answer[0], at, answer.Length, out int length);
            if (start < 0)
            {
                break; // Cut at the bound of a page.
            }

            at = start + length;
            if (TopicUpdate.TryRead(answer[start..at]) is { } update
                && (updates.Count == 0 || updates[^1].Offset != update.Offset))
            {
                updates.Add(update);
            }
        }

        return updates;
    }

    private async Task<long[]> AskNumbersAsync(string query, int count, CancellationToken cancellationToken)
    {
        byte[] answer = await AskAsync(query, cancellationToken).ConfigureAwait(false);
        return answer.Length == count * sizeof(long)
            ? MemoryMarshal.Cast<byte, long>(answer).ToArray()
            : throw new StoreException(
                "The store's answer is not the row of numbers that was asked for.", StoreFault.Unavailable);
    }

    // What goes over the bound of a page is left, but for its first update, which may be larger than that.
    private async Task<byte[]> AskAsync(string query, CancellationToken cancellationToken)
    {
        var answer = new ArrayBufferWriter<byte>();
        await foreach (ReadOnlyMemory<byte> piece in
            store.QueryAsync($"{query} FORMAT RowBinary", s_limits, cancellationToken).ConfigureAwait(false))
        {
            answer.Write(piece.Span);
            if (answer.WrittenCount > PageBytes)
            {
                break;
            }
        }

        return answer.WrittenSpan.ToArray();
    }
}
