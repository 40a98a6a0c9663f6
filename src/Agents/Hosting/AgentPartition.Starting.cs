using Ingest.Feed;
using Ingest.Log;
using Ingest.Schema;
using Ingest.Stores;

namespace Ingest.Agents.Hosting;

/// <content>From the saved state to the latest row.</content>
internal sealed partial class AgentPartition
{
    // A place older than this is not caught up with row by row: the state is rebuilt.
    private static readonly TimeSpan s_maxReplay = TimeSpan.FromHours(1);

    private long _replayed;

    // Again and again until it goes well: the store may be away, the agent may throw.
    private async Task<bool> TryStartAsync()
    {
        for (int tries = 0; !_abort.IsCancellationRequested && !_stopping; tries++)
        {
            TimeSpan backoff = BackoffAfter(tries);
            try
            {
                await StartAgentAsync();
                _state = AgentState.Running;
                return true;
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                if (e is StoreException)
                {
                    Logger.WaitsForStore(_host.Name, Index, e.Message);
                }
                else
                {
                    Interlocked.Increment(ref _failures);
                    Logger.StartFailed(_host.Name, Index, backoff, e);
                }

                _lastFault = new Fault($"start: {e.Message}", Time.GetUtcNow());
            }

            await Task.WhenAny(Task.Delay(backoff, Time, _abort.Token), WaitForStopAsync());
            _agent = _host.Make(this);
            foreach (AgentInput input in _agent.Plan.Inputs)
            {
                SetWanted(input.Table, true);
            }
        }

        return false;
    }

    private async Task WaitForStopAsync()
    {
        while (!_stopping)
        {
            await _signal.WaitAsync();
        }
    }

    private async Task StartAgentAsync()
    {
        IsReplaying = true;
        _places.Clear();
        _emittedBefore.Clear();
        (_replayed, _suppressed) = (0, 0);
        _host.Configuration.Apply(_agent);
        await _agent.InitializeAsync(_abort.Token);
        if (!await TryRestoreAsync())
        {
            await _agent.RebuildAsync(new AgentStore(_services.Store), _abort.Token);
        }

        foreach (AgentInput input in _agent.Plan.Inputs)
        {
            await ReplayAsync(input);
        }

        IsReplaying = false;
        _emittedBefore.Clear();
        _trigger = null;
        await _agent.StartAsync(_abort.Token);
        Logger.AgentStarted(_host.Name, Index, _replayed, _suppressed);
    }

    private async Task<bool> TryRestoreAsync()
    {
        IEnumerable<SealedSegment> left = _services.Feed.Recovered.Where(
            s => _agent.Plan.Find(s.Table.Name) is not null);
        if (_saved is not { } saved || Time.GetUtcNow() - saved.SavedAt > s_maxReplay)
        {
            // What was emitted for rows that are still in the log is not emitted again for them.
            if (left.FirstOrDefault() is { } oldest)
            {
                await LearnEmittedAsync(SegmentTime.Of(oldest.SegmentId));
            }

            return false;
        }

        // An update is durable a little later than its state was taken.
        await LearnEmittedAsync(saved.SavedAt - TimeSpan.FromSeconds(1));
        try
        {
            _agent.RestoreState(saved.State.Span);
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException or FormatException)
        {
            Logger.StateNotUsed(_host.Name, Index, e.Message);
            return false;
        }

        foreach ((string table, BlockPlace place) in saved.Places)
        {
            _places[table] = place;
        }

        return true;
    }

    private async Task ReplayAsync(AgentInput input)
    {
        BlockPlace from = _places.GetValueOrDefault(input.Table);
        SealedSegment[] left =
            [.. _services.Feed.Recovered.Where(s => s.Table.Name == input.Table && File.Exists(s.Path))];
        if (from != default && _services.Store is not NullStore && _services.FindTable(input.Table) is { } table)
        {
            await ReplayStoredAsync(input, table, from, [.. left.Select(s => s.SegmentId)]);
        }

        foreach (SealedSegment segment in left.Where(s => new BlockPlace(s.SegmentId, s.Rows) > from))
        {
            foreach (CommittedBlock block in BlockReplay.ReadSegment(segment, from))
            {
                await ReplayAsync(block, input);
            }
        }
    }

    // What the log has let go since: after a stop without a kill there is nothing.
    private async Task ReplayStoredAsync(AgentInput input, TableSchema table, BlockPlace from, ulong[] left)
    {
        IReadOnlyList<(ulong Id, long Rows)> stored = await BlockReplay.ListStoredAsync(
            _services.Store, table, from.SegmentId, _services.Feed.LiveFrom, left, _abort.Token);
        foreach ((ulong id, long rows) in stored)
        {
            if (new BlockPlace(id, rows) <= from)
            {
                continue;
            }

            await foreach (CommittedBlock block in BlockReplay.ReadStoreAsync(_services.Store, table, id, _abort.Token))
            {
                await ReplayAsync(block, input);
            }
        }
    }

    private async Task ReplayAsync(CommittedBlock block, AgentInput input)
    {
        int[]? rows = KeyPartition.RowsOf(block, input, Index, _host.PartitionCount);
        _replayed += rows?.Length ?? block.RowCount;
        Interlocked.Add(ref _rows, await HandleAsync(block, input, rows));
        BlockPlace before = _places.GetValueOrDefault(input.Table);
        _places[input.Table] = before > block.End ? before : block.End;
        _isDirty = true;
        block.Release();
        _abort.Token.ThrowIfCancellationRequested();
    }
}
