using Ingest.Columns;
using Ingest.Log;

namespace Ingest.Tests.Log;

/// <summary>The table of producers against a model that keeps a flag an offset.</summary>
public sealed class ProducerTableTests
{
    private const int Offsets = 80;
    private const int Producers = 3;

    private readonly ProducerTable _table = new();
    private readonly Model[] _models = [.. Enumerable.Range(0, Producers).Select(_ => new Model())];
    private readonly List<TestSession>[] _sessions = [.. Enumerable.Range(0, Producers).Select(_ => new List<TestSession>())];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Random_overlaps_orders_epochs_and_failed_groups_agree_with_the_model(int seed)
    {
        var random = new Random(seed);
        for (var step = 0; step < 20_000; step++)
        {
            var producer = random.Next(Producers);
            switch (random.Next(20))
            {
                case 0:
                    Open(producer, random.Next(4));
                    break;
                case 1:
                    _table.RollBack();
                    Array.ForEach(_models, model => model.Staged.Clear());
                    break;
                case 2 or 3:
                    _table.Commit((ulong)step, step);
                    Array.ForEach(_models, model => model.Commit());
                    break;
                case 4 when random.Next(40) == 0:
                    Restart(random);
                    break;
                default:
                    Stage(producer, random);
                    break;
            }

            Check();
        }
    }

    private void Open(int producer, long epoch)
    {
        var state = _table.GetOrAdd($"p{producer}");
        if (epoch < state.Epoch)
        {
            return;
        }

        _table.RaiseEpoch(state, epoch, now: 1);
        var session = new TestSession(state.Id, epoch);
        (state.Session, session.State) = (session, state);
        _sessions[producer].Add(session);
    }

    private void Stage(int producer, Random random)
    {
        if (_sessions[producer].Count == 0)
        {
            return;
        }

        // Mostly the current session, now and then one that was fenced.
        var sessions = _sessions[producer];
        var session = random.Next(4) > 0 ? sessions[^1] : sessions[random.Next(sessions.Count)];
        var first = random.Next(Offsets);
        var count = 1 + random.Next(Math.Min(10, Offsets - first));
        var rows = random.Next(3) == 0 ? 0 : count;
        var model = _models[producer];
        var known = Enumerable.Range(first, count).Where(model.Has).ToList();

        var verdict = _table.Stage(new BatchEntry(session, session.ProducerId, session.Epoch, first, count, 0, rows));

        if (session != sessions[^1])
        {
            Assert.Equal(ProducerVerdict.Fenced, verdict);
        }
        else if (known.Count > 0)
        {
            Assert.Equal(ProducerVerdict.Known, verdict);
        }
        else
        {
            Assert.Equal(ProducerVerdict.New, verdict);
            model.Staged.UnionWith(Enumerable.Range(first, count));
        }
    }

    // What was durable begins anew, so that gaps do not just fill up.
    private void Restart(Random random)
    {
        var producer = random.Next(Producers);
        var id = $"p{producer}";
        if (_table.TryGet(id, out var state) && !state.IsStaged)
        {
            _table.Expire(id, (ulong)random.Next(1000));
            _models[producer] = new Model();
            _sessions[producer].Clear();
        }
    }

    private void Check()
    {
        for (var producer = 0; producer < Producers; producer++)
        {
            if (!_table.TryGet($"p{producer}", out var state))
            {
                continue;
            }

            var model = _models[producer];
            var end = Enumerable.Range(0, Offsets + 1).First(offset => !model.Has(offset));
            Assert.Equal(end, state.Offsets.End);
            var ahead = Enumerable.Range(end, Offsets - end).Where(model.Has);
            Assert.Equal(ahead, state.Offsets.Ahead.SelectMany(r => Enumerable.Range((int)r.Start, (int)(r.End - r.Start))));
        }
    }

    private sealed class Model
    {
        private readonly HashSet<int> _durable = [];

        public HashSet<int> Staged { get; } = [];

        public bool Has(int offset) => _durable.Contains(offset) || Staged.Contains(offset);

        public void Commit()
        {
            _durable.UnionWith(Staged);
            Staged.Clear();
        }
    }
}
