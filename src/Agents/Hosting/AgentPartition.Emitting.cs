using Google.Protobuf;
using Ingest.Feed;

namespace Ingest.Agents.Hosting;

/// <content>What the agent emits, and what of it was emitted before a restart.</content>
internal sealed partial class AgentPartition
{
    // Of updates that are not durable yet. Each costs the topic's memory; at the bound the agent waits.
    private const int MaxUnderWay = 4096;

    private readonly Dictionary<(string Topic, string Key), int> _numbers = [];
    private readonly Dictionary<(string Topic, string Key, string Table), Trigger> _emittedBefore = [];
    private readonly SemaphoreSlim _underWay = new(MaxUnderWay);
    private EmissionGroup _group = new();
    private (CommittedBlock Block, int Row)? _trigger;
    private Task _lastWaiting = Task.CompletedTask;
    private int _waiting;
    private long _suppressed;

    /// <summary>Says for which row the agent emits from here on.</summary>
    public void SetTrigger(CommittedBlock block, int row)
    {
        if (_trigger is not { } before || before.Block != block || before.Row != row)
        {
            _trigger = (block, row);
            _numbers.Clear();
        }
    }

    /// <summary>Sends an update on its way. On the partition's thread.</summary>
    public ValueTask EmitAsync(string topic, string key, IMessage payload)
    {
        Trigger? trigger = null;
        TimeSpan? sinceReceived = null;
        if (_trigger is { } row)
        {
            ref int number = ref System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrAddDefault(
                _numbers, (topic, key), out _);
            trigger = new Trigger(row.Block.Table.Name, row.Block.PlaceOf(row.Row), number++);
            sinceReceived = Time.GetUtcNow() - row.Block.ReceivedAt;
            if (WasEmitted(topic, key, trigger.Value))
            {
                _suppressed++;
                return default;
            }
        }

        if (_waiting == MaxUnderWay)
        {
            throw new InvalidOperationException($"{_waiting} updates wait for room: EmitAsync has to be awaited");
        }

        ProvenanceStamp.Write(payload, _agent, trigger, sinceReceived);
        return _waiting == 0 && _underWay.Wait(0) && TrySend(topic, key, payload)
            ? default
            : SendSlowAsync(topic, key, payload);
    }

    // One after the other, in the order of the calls, also those that nobody awaits.
    private async ValueTask SendSlowAsync(string topic, string key, IMessage payload)
    {
        Task before = _lastWaiting;
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _lastWaiting = done.Task;
        _waiting++;
        try
        {
            await before;
            do
            {
                await _services.Outputs.WaitForRoomAsync(payload).WaitAsync(_abort.Token);
                await _underWay.WaitAsync(_abort.Token);
            }
            while (!TrySend(topic, key, payload));
        }
        finally
        {
            _waiting--;
            done.SetResult();
        }
    }

    // One of those under way has been counted; it is counted out here when the update is not taken.
    private bool TrySend(string topic, string key, IMessage payload)
    {
        EmissionGroup group = _group;
        group.Begin();
        bool isTaken = false;
        Task published;
        try
        {
            isTaken = _services.Outputs.TryPublish(topic, key, payload, out published);
        }
        finally
        {
            if (!isTaken)
            {
                group.End();
                _underWay.Release();
            }
        }

        if (isTaken)
        {
            _ = SettleAsync(published, group, topic);
        }

        return isTaken;
    }

    private async Task SettleAsync(Task published, EmissionGroup group, string topic)
    {
        try
        {
            await published.ConfigureAwait(false);
            OnPublished(group);
        }
        catch (Exception e)
        {
            _underWay.Release();
            if (e is OperationCanceledException or ObjectDisposedException)
            {
                // Not durable, so the place of its row must not be saved: the group stays open for good.
                return;
            }

            _lastFault = new Fault($"update for {topic}: {e.Message}", Time.GetUtcNow());
            Interlocked.Increment(ref _failures);
            Logger.UpdateRefused(_host.Name, topic, e);
            group.End();
        }
    }

    private void OnPublished(EmissionGroup group)
    {
        Interlocked.Increment(ref _emitted);
        _underWay.Release();
        group.End();
    }

    private bool WasEmitted(string topic, string key, Trigger trigger) =>
        IsReplaying && _emittedBefore.TryGetValue((topic, key, trigger.Table), out Trigger last)
        && trigger.IsNotAfter(last);

    // The latest row of each key for which an update is durable. An agent is given rows in order, so for the rows up to
    // that one all was emitted that it wanted to emit.
    private async Task LearnEmittedAsync(DateTimeOffset since)
    {
        await foreach (V1.Update update in _services.Outputs.ReadSinceAsync(since, _abort.Token))
        {
            foreach (Trigger trigger in ProvenanceStamp.TriggersOf(update, _host.Name))
            {
                (string Topic, string Key, string Table) key = (update.Topic, update.Key, trigger.Table);
                if (!_emittedBefore.TryGetValue(key, out Trigger last) || last.IsNotAfter(trigger))
                {
                    _emittedBefore[key] = trigger;
                }
            }
        }
    }
}
