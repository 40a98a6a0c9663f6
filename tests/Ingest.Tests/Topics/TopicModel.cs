using Ingest.Tests.Decoding;
using Ingest.Topics;
using Ingest.V1;

namespace Ingest.Tests.Topics;

/// <summary>
/// A server with subscribers of random policies, keys, filters and speeds that come and go, while it is stopped and
/// killed; and what each of them has to have got.
/// </summary>
internal sealed class TopicModel(TopicServer server, Choices choices)
{
    private const int Keys = 5;

    private readonly List<TopicUpdate> _published = [];
    private readonly List<Reader> _readers = [];
    private int _gaps;
    private int _resumes;

    /// <summary>Gaps that were seen, of any reason.</summary>
    public int Gaps => _gaps;

    /// <summary>Times that a reader went on from a token.</summary>
    public int Resumes => _resumes;

    /// <summary>Takes a number of random steps, then has every reader catch up.</summary>
    public async Task RunAsync(int steps)
    {
        for (int step = 0; step < steps; step++)
        {
            switch (choices.Next(24))
            {
                case 0 or 1 when _readers.Count < 6:
                    await JoinAsync();
                    break;
                case 2:
                    await RestartAsync(isKilled: choices.OneIn(2));
                    break;
                case 3 when _readers.Count > 0:
                    choices.Of<Reader>([.. _readers]).Leave();
                    break;
                case >= 4 and < 14 when _readers.Count > 0:
                    await ReadAsync(
                        choices.Of<Reader>([.. _readers]), choices.OneIn(3) ? int.MaxValue : 1 + choices.Next(30));
                    break;
                default:
                    _published.AddRange(await server.PublishAsync(_published.Count, 1 + choices.Next(60), Keys));
                    break;
            }
        }

        foreach (Reader reader in _readers)
        {
            await ReadAsync(reader, int.MaxValue);
            reader.CheckComplete(_published.Count);
            reader.Leave();
        }
    }

    private async Task JoinAsync()
    {
        var reader = new Reader(this, new SubscriptionOptions
        {
            Topics = ["alerts"],
            Overflow = choices.Of(
                OverflowPolicy.Block, OverflowPolicy.DropOldest, OverflowPolicy.Conflate, OverflowPolicy.Disconnect),
            Position = choices.Of(StartPosition.New, StartPosition.Earliest),
            Keys = choices.OneIn(3) ? [.. Enumerable.Range(0, 1 + choices.Next(Keys)).Select(key => $"key-{key}")] : [],
            Filter = choices.OneIn(
                3) ? Filters.Compare("severity", choices.Of("EQUAL", "NOT_EQUAL"), "\"WARNING\"") : null,
        });
        await reader.BeginAsync(server);
        _readers.Add(reader);
    }

    private async Task RestartAsync(bool isKilled)
    {
        _readers.ForEach(reader => reader.Leave());
        await (isKilled ? server.KillAsync() : server.RestartAsync());
    }

    private async Task ReadAsync(Reader reader, int count)
    {
        if (reader.IsGone)
        {
            await reader.BeginAsync(server);
            _resumes++;
        }

        await reader.ReadAsync(server, count, _published.Count);
    }

    /// <summary>One subscriber, over all its connections.</summary>
    private sealed class Reader(TopicModel model, SubscriptionOptions options)
    {
        private Subscription? _subscription;
        private string _token = "";
        private long _position;

        public bool IsGone => _subscription is null;

        public async Task BeginAsync(TopicServer server)
        {
            bool isFirst = _token.Length == 0;
            _subscription = await server.Hub.SubscribeAsync(isFirst
                ? options
                : options with { Position = StartPosition.Unspecified, ResumeToken = _token });
            TopicPosition position = _subscription.Positions.Single();
            if (isFirst)
            {
                Assert.True(
                    position.Offset == 0 || options.Position != StartPosition.Earliest, $"{position} is not the first");
                _position = position.Offset;
            }

            // A token may have gone on over updates that are not wanted.
            Assert.True(position.Offset >= _position, $"{position} is before {_position}");
            Assert.Equal(0, CountWanted(_position, position.Offset));
            Assert.True(position.Recovered);
            _position = position.Offset;
        }

        public void Leave()
        {
            if (_subscription is not null)
            {
                _token = _subscription.Token();
                _subscription.Dispose();
                _subscription = null;
            }
        }

        public async Task ReadAsync(TopicServer server, int count, long head)
        {
            using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60));
            while (count > 0 && _subscription!.Cursors[0].Position < head)
            {
                if (_subscription.TryRead(out SubscriptionItem item))
                {
                    count--;
                    Take(item);
                    continue;
                }

                if (_subscription.Cursors[0].Position < head && !await _subscription.WaitToReadAsync(deadline.Token))
                {
                    Assert.Equal(
                        (SubscriptionEnd.TooSlow, OverflowPolicy.Disconnect), (_subscription.End, options.Overflow));
                    Leave();
                    await BeginAsync(server);
                }
            }
        }

        public void CheckComplete(long head) => Assert.Equal(0, CountWanted(_position, head));

        private void Take(SubscriptionItem item)
        {
            if (item.Gap is { } gap)
            {
                model._gaps++;
                Assert.True(gap.FromOffset >= _position && gap.ToOffset > gap.FromOffset, $"{gap} at {_position}");
                Assert.Equal(0, CountWanted(_position, gap.FromOffset));
                Assert.Equal(CountWanted(gap.FromOffset, gap.ToOffset), gap.DroppedCount);
                Assert.True(gap.DroppedCount > 0);
                Assert.Equal(ReasonsOf(options.Overflow) & (1 << (int)gap.Reason), 1 << (int)gap.Reason);
                _position = gap.ToOffset;
                return;
            }

            TopicUpdate update = item.Update!;
            Assert.True(update.Offset >= _position, $"{update.Offset} came at {_position}");
            Assert.Equal(0, CountWanted(_position, update.Offset));
            Assert.True(Wants(update));
            TopicUpdate published = model._published[(int)update.Offset];
            Assert.True(update.Message.Span.SequenceEqual(published.Message.Span));
            Assert.Equal((published.Key, published.Epoch), (update.Key, update.Epoch));
            _position = update.Offset + 1;
        }

        private long CountWanted(long from, long to) =>
            Enumerable.Range((int)from, (int)(to - from)).Count(offset => Wants(model._published[offset]));

        private bool Wants(TopicUpdate update)
        {
            bool isWarning = update.Content.Alert.Severity == Severity.Warning;
            return (options.Keys.Count == 0 || options.Keys.Contains(update.Key))
                && (options.Filter is not { } filter
                    || isWarning == (filter.Comparison.Operator == ComparisonOperator.Equal));
        }

        private static int ReasonsOf(OverflowPolicy policy) => (1 << (int)GapReason.Expired) | policy switch
        {
            OverflowPolicy.DropOldest => 1 << (int)GapReason.Dropped,
            OverflowPolicy.Conflate => 1 << (int)GapReason.Conflated,
            _ => 0,
        };
    }
}
