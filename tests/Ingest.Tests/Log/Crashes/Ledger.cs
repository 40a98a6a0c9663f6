namespace Ingest.Tests.Log.Crashes;

/// <summary>What was promised and what the store has, at one moment: the facts of a journal added up.</summary>
internal sealed class Ledger
{
    private readonly Dictionary<(string Table, ulong Segment), IReadOnlyList<long>> _begun = [];

    /// <summary>What each producer was told, and what it gave the log.</summary>
    public Dictionary<(string Table, int Producer), Promise> Promises { get; } = [];

    /// <summary>Rows of senders without an id that were told to be durable.</summary>
    public HashSet<(string Table, long Row)> RowsTold { get; } = [];

    /// <summary>Rows in the store by segment; a segment that was inserted twice has its rows twice.</summary>
    public Dictionary<(string Table, ulong Segment), List<long>> Stored { get; } = [];

    /// <summary>What became of inserts that had not ended.</summary>
    public List<Fact> Outcomes { get; } = [];

    /// <summary>The ledger some time later, after a stop: an insert that had not ended is there or is not.</summary>
    public static Ledger After(Ledger before, IEnumerable<DiskEvent> happened, Random random)
    {
        var ledger = new Ledger();
        foreach (var (key, promise) in before.Promises)
        {
            ledger.Promises.Add(key, promise);
        }

        ledger.RowsTold.UnionWith(before.RowsTold);
        foreach (var (key, rows) in before.Stored)
        {
            ledger.Stored.Add(key, [.. rows]);
        }

        foreach (var noted in happened.OfType<DiskEvent.Noted>())
        {
            ledger.Take(noted.Fact);
        }

        foreach (var (table, segment) in ledger._begun.Keys.ToList())
        {
            Fact outcome = random.Next(2) == 0
                ? new Fact.InsertEnded(table, segment)
                : new Fact.InsertLost(table, segment);
            ledger.Outcomes.Add(outcome);
            ledger.Take(outcome);
        }

        return ledger;
    }

    private void Take(Fact fact)
    {
        switch (fact)
        {
            case Fact.Sent sent:
                Change(sent.Table, sent.Producer, promise => promise with { Sent = Math.Max(promise.Sent, sent.End) });
                break;
            case Fact.Told told:
                Change(told.Table, told.Producer, promise => promise with
                {
                    Durable = Math.Max(promise.Durable, told.Durable),
                    Stored = Math.Max(promise.Stored, told.Stored),
                });
                break;
            case Fact.Opening opening:
                Change(opening.Table, opening.Producer, promise => promise with { Tried = opening.Epoch });
                break;
            case Fact.Opened opened:
                Change(opened.Table, opened.Producer, promise => promise with { Epoch = opened.Epoch });
                break;
            case Fact.RowTold row:
                RowsTold.Add((row.Table, row.Row));
                break;
            case Fact.InsertBegun begun:
                _begun[(begun.Table, begun.Segment)] = begun.Rows;
                break;
            case Fact.InsertLost lost:
                _begun.Remove((lost.Table, lost.Segment));
                break;
            case Fact.InsertEnded ended:
                _begun.Remove((ended.Table, ended.Segment), out var rows);
                Insert((ended.Table, ended.Segment), rows!);
                break;
        }
    }

    private void Insert((string Table, ulong Segment) key, IReadOnlyList<long> rows)
    {
        if (!Stored.TryGetValue(key, out var stored))
        {
            Stored.Add(key, stored = []);
        }

        stored.AddRange(rows);
    }

    private void Change(string table, int producer, Func<Promise, Promise> change) =>
        Promises[(table, producer)] = change(Promises.GetValueOrDefault((table, producer)));

    /// <summary>One producer in one table.</summary>
    /// <param name="Sent">End of the offsets that it gave the log.</param>
    /// <param name="Durable">Highest durable watermark it was told.</param>
    /// <param name="Stored">Highest stored watermark it was told.</param>
    /// <param name="Epoch">Number of its last session that was opened.</param>
    /// <param name="Tried">Number of the last one that it asked for.</param>
    internal readonly record struct Promise(long Sent, long Durable, long Stored, long Epoch, long Tried);
}
