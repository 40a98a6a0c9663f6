using System.Collections.Concurrent;
using Ingest.Feed;
using Microsoft.Extensions.Logging;

namespace Ingest.Agents.Hosting;

/// <summary>
/// A partition of an agent: its object, its thread, what waits for it, and its places in the log.
/// </summary>
/// <remarks>
/// All that touches the object runs on <see cref="_thread"/>. Lanes' threads call <see cref="OnCommitted"/>, which
/// takes a reference and wakes; others hand in calls by <see cref="CallAsync"/>, at most <see cref="MaxCalls"/> at a
/// time.
/// </remarks>
internal sealed partial class AgentPartition : IDisposable
{
    private const int MaxCalls = 1024;

    // For a call that listens to its token to end, once the time is over.
    private static readonly TimeSpan s_abortGrace = TimeSpan.FromSeconds(1);

    private readonly AgentHost _host;
    private readonly AgentServices _services;
    private readonly AgentThread _thread = new();
    private readonly Signal _signal = new();
    private readonly Mailbox _mailbox;
    private readonly ConcurrentQueue<Func<Task>> _calls = new();
    private readonly CancellationTokenSource _abort = new();
    private readonly Dictionary<string, BlockPlace> _places = new(StringComparer.Ordinal);
    private readonly List<(string Table, FeedSubscription Feed)> _feeds = [];
    private Agent _agent;
    private Task _running = Task.CompletedTask;
    private int _callCount;
    private int _failuresInARow;
    private long _rows;
    private long _failures;
    private long _emitted;
    private volatile AgentState _state = AgentState.Starting;
    private volatile bool _stopping;
    private volatile Fault? _lastFault;

    public AgentPartition(AgentHost host, int index, Agent agent)
    {
        _host = host;
        _services = host.Services;
        Index = index;
        Logger = _services.Loggers.CreateLogger($"Ingest.Agents.{host.Name}");
        _mailbox = new Mailbox(_services.Options.QueueBytes, index, host.PartitionCount);
        _agent = agent;
        _agent.Partition = this;
    }

    public int Index { get; }

    public TimeProvider Time => _services.Time;

    public ILogger Logger { get; }

    public bool IsReplaying { get; private set; }

    // One that starts makes them once it has started, but nobody waits for one that could not: it may be long.
    private bool TakesCalls =>
        _state == AgentState.Running || (_state == AgentState.Starting && _lastFault is null);

    public long ActiveSessions => _agent.ActiveSessions;

    public long Rows => Volatile.Read(ref _rows);

    public long Emitted => Volatile.Read(ref _emitted);

    public long Failures => Volatile.Read(ref _failures);

    public Mailbox Mailbox => _mailbox;

    public Fault? LastFault => _lastFault;

    public AgentState State => _state == AgentState.Running && _mailbox.IsLagging ? AgentState.Lagging : _state;

    /// <summary>Begins: the feed is heard from here on, the rest is done by the partition's thread.</summary>
    public void Start()
    {
        LoadSaved();
        foreach (AgentInput input in _agent.Plan.Inputs)
        {
            BlockPlace from = _saved?.Places.GetValueOrDefault(input.Table) ?? default;
            _feeds.Add((input.Table, _services.Feed.Listen(input.Table, new Ear(this, input), from)));
        }

        _running = _thread.RunAsync($"agent {_host.Name}/{Index}", RunAsync);
    }

    /// <summary>
    /// Handles what waits, saves, and ends; what is not done when the token is cancelled is given again.
    /// </summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        _stopping = true;
        _signal.Set();
        await using (cancellationToken.Register(_abort.Cancel))
        {
            // An agent that hangs in a call hears of nothing; its thread ends with the process.
            if (await Task.WhenAny(_running, LateAsync(cancellationToken)) != _running)
            {
                Logger.AgentHangs(_host.Name, Index);
            }
        }

        _mailbox.Close();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _abort.Dispose();
        _underWay.Dispose();
    }

    // Runs a call between two others on the partition's thread.
    private async Task<T> CallAsync<T>(string what, Func<ValueTask<T>> call, CancellationToken cancellationToken)
    {
        if (Interlocked.Increment(ref _callCount) > MaxCalls)
        {
            Interlocked.Decrement(ref _callCount);
            throw new AgentException(
                AgentFault.Unavailable, $"{MaxCalls} requests wait for the agent {_host.Name} already");
        }

        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        _calls.Enqueue(async () =>
        {
            Interlocked.Decrement(ref _callCount);
            if (cancellationToken.IsCancellationRequested)
            {
                done.TrySetCanceled(cancellationToken);
                return;
            }

            _trigger = null;
            Exception? fault = await MeasureAsync(what, async () => done.TrySetResult(await call()));
            if (fault is not null)
            {
                done.TrySetException(fault);
            }
        });
        _signal.Set();
        return await done.Task.WaitAsync(cancellationToken);
    }

    private static async Task LateAsync(CancellationToken cancellationToken)
    {
        await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Task.Delay(s_abortGrace, CancellationToken.None);
    }

    /// <summary>Has blocks of a table given or passed over from here on.</summary>
    public void SetWanted(string table, bool isWanted) => _mailbox.SetWanted(table, isWanted);

    // Called by the lane's thread.
    private void OnCommitted(CommittedBlock block, AgentInput input)
    {
        if (_mailbox.Post(block, input))
        {
            _signal.Set();
        }
    }

    private async Task RunAsync()
    {
        if (!await TryStartAsync())
        {
            _state = AgentState.Stopped;
            return;
        }

        _savedAt = Time.GetTimestamp();
        using ITimer saves = Time.CreateTimer(
            _ => _signal.Set(), null, _services.Options.SaveInterval, _services.Options.SaveInterval);
        ITimer[] timers = [.. _agent.Plan.Timers.Select(StartTimer)];
        while (!_abort.IsCancellationRequested)
        {
            if (_calls.TryDequeue(out Func<Task>? call))
            {
                await call();
                _isDirty = true;
            }
            else if (_mailbox.Take() is { } mail)
            {
                await HandleAsync(mail);
            }
            else if (_stopping)
            {
                break;
            }
            else
            {
                SaveIfDue();
                await _signal.WaitAsync();
                continue;
            }

            SaveIfDue();
        }

        foreach (ITimer timer in timers)
        {
            await timer.DisposeAsync();
        }

        await MeasureAsync("StopAsync", () => _agent.StopAsync(_abort.Token));
        await SaveLastAsync();
        _state = AgentState.Stopped;
        while (_calls.TryDequeue(out Func<Task>? call))
        {
            await call();
        }
    }

    private ITimer StartTimer((TimeSpan Period, Func<ValueTask> Handler) timer)
    {
        ITimer? ticks = null;
        bool waits = false;
        ticks = Time.CreateTimer(
            _ =>
            {
                if (Interlocked.Exchange(ref waits, true))
                {
                    return; // The last tick has not been handled yet.
                }

                _calls.Enqueue(async () =>
                {
                    waits = false;
                    _trigger = null;
                    await MeasureAsync("timer", timer.Handler);
                });
                _signal.Set();
            },
            null, timer.Period, timer.Period);
        return ticks;
    }

    private async Task HandleAsync(Mail mail)
    {
        CommittedBlock block = mail.Block;

        // Of the object that there is now: one that could not start was made anew.
        AgentInput input = _agent.Plan.Find(mail.Input.Table)!;
        int count = 0;
        try
        {
            int[]? rows = mail.Rows ?? KeyPartition.RowsOf(block, input, Index, _host.PartitionCount);
            count = await HandleAsync(block, input, rows);
        }
        finally
        {
            _places[input.Table] = block.End;
            _isDirty = true;
            block.Release();
            _mailbox.EndTaken();
        }

        Interlocked.Add(ref _rows, count);
        TellLag();
    }

    private async Task<int> HandleAsync(CommittedBlock block, AgentInput input, int[]? rows)
    {
        int count = rows?.Length ?? block.RowCount;
        if (count == 0)
        {
            return 0;
        }

        if (input.TakesRows)
        {
            var view = new AgentRows(block, rows, count);
            SetTrigger(block, view[count - 1]);
            await BackOffAfterAsync(await MeasureAsync("OnRowsAsync", () => _agent.OnRowsAsync(view)));
        }

        if (input.Handlers.Count > 0 || input.EventHandlers.Count > 0)
        {
            await HandleRowsAsync(block, input, new AgentRows(block, rows, count));
        }

        return count;
    }

    private async Task HandleRowsAsync(CommittedBlock block, AgentInput input, AgentRows rows)
    {
        for (int i = 0; i < rows.Count && !_abort.IsCancellationRequested; i++)
        {
            int row = rows[i];
            SetTrigger(block, row);
            foreach (Func<CommittedBlock, int, ValueTask> handler in input.Handlers)
            {
                await BackOffAfterAsync(await MeasureAsync("OnMessage", () => handler(block, row)));
            }

            if (input.EventHandlers.Count > 0
                && input.EventHandlers.TryGetValue(
                    block.Texts("event_type").String(row), out Func<V1.Event, ValueTask>? onEvent))
            {
                await BackOffAfterAsync(await MeasureAsync("OnEvent", () => onEvent(block.Message<V1.Event>(row))));
            }
        }
    }

    // Every call of the agent's code goes through here: timed, counted, and what it throws stays here.
    private async Task<Exception?> MeasureAsync(string what, Func<ValueTask> call)
    {
        long started = Time.GetTimestamp();
        Exception? fault = null;
        try
        {
            await call();
        }
        catch (Exception e)
        {
            fault = e;
        }

        bool failed = fault is not (null or AgentException { Fault: not AgentFault.Failed });
        _services.Metrics.OnCalled(_host.Name, failed, Time.GetElapsedTime(started));
        if (failed)
        {
            Interlocked.Increment(ref _failures);
            _lastFault = new Fault($"{what}: {fault!.GetType().Name}: {fault.Message}", Time.GetUtcNow());
            TimeSpan backoff = what.StartsWith("On", StringComparison.Ordinal)
                ? BackoffAfter(_failuresInARow)
                : TimeSpan.Zero;
            Logger.AgentFailed(_host.Name, Index, what, backoff, fault);
        }

        return fault;
    }

    private async Task BackOffAfterAsync(Exception? fault)
    {
        if (fault is null)
        {
            _failuresInARow = 0;
            return;
        }

        AgentState before = _state;
        _state = AgentState.BackingOff;
        try
        {
            await Task.Delay(BackoffAfter(_failuresInARow++), Time, _abort.Token);
        }
        catch (OperationCanceledException)
        {
            // The server stops.
        }

        _state = before;
    }

    private TimeSpan BackoffAfter(int failures)
    {
        double factor = Math.Pow(2, Math.Min(failures, 30));
        TimeSpan wait = _services.Options.Backoff * factor;
        return wait < _services.Options.MaxBackoff ? wait : _services.Options.MaxBackoff;
    }

    private void TellLag()
    {
        long skipped = _mailbox.ConflatedRows + _mailbox.DroppedRows;
        if (skipped > _skippedTold && Time.GetElapsedTime(_lagToldAt) > TimeSpan.FromSeconds(10))
        {
            _skippedTold = skipped;
            _lagToldAt = Time.GetTimestamp();
            Logger.AgentLags(_host.Name, Index, _mailbox.ConflatedRows, _mailbox.DroppedRows);
        }
    }

    private long _skippedTold;
    private long _lagToldAt;

    public sealed record Fault(string Text, DateTimeOffset At);

    private sealed class Ear(AgentPartition partition, AgentInput input) : IBlockListener
    {
        public void OnCommitted(CommittedBlock block) => partition.OnCommitted(block, input);
    }
}
