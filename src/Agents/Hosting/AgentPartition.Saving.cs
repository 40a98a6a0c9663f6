using System.Buffers;
using Ingest.Feed;
using Ingest.Log;

namespace Ingest.Agents.Hosting;

/// <content>The state on disk, with the places that it stands for.</content>
internal sealed partial class AgentPartition
{
    private readonly ArrayBufferWriter<byte> _stateBytes = new(4096);
    private Task _saving = Task.CompletedTask;
    private SavedState? _saved;
    private long _savedAt;
    private bool _isDirty;

    private string StatePath => Path.Combine(_services.Directory, _host.Name, $"{Index}.state");

    // On the caller's thread, before the partition's own: the feed has to know from where rows are needed.
    private void LoadSaved()
    {
        try
        {
            if (!File.Exists(StatePath))
            {
                return;
            }

            SavedState saved = SavedState.Parse(File.ReadAllBytes(StatePath));
            string? fault = saved.StateVersion != _agent.StateVersion ? $"it is of version {saved.StateVersion}"
                : saved.Partitions != _host.PartitionCount ? $"it is of {saved.Partitions} partitions"
                : null;
            if (fault is null)
            {
                _saved = saved;
            }
            else
            {
                Logger.StateNotUsed(_host.Name, Index, fault);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            Logger.StateNotUsed(_host.Name, Index, e.Message);
        }
    }

    private void SaveIfDue()
    {
        if (!_saving.IsCompleted || Time.GetElapsedTime(_savedAt) < _services.Options.SaveInterval)
        {
            return;
        }

        TakePassed();
        if (_isDirty)
        {
            _saving = SaveAsync();
        }
    }

    private void TakePassed()
    {
        foreach ((string table, BlockPlace place) in _mailbox.TakePassed())
        {
            if (place > _places.GetValueOrDefault(table))
            {
                _places[table] = place;
                _isDirty = true;
            }
        }
    }

    private async Task SaveLastAsync()
    {
        await _saving;
        TakePassed();
        if (_isDirty && !_abort.IsCancellationRequested)
        {
            Task last = SaveAsync();
            await Task.WhenAny(last, Task.Delay(Timeout.InfiniteTimeSpan, _abort.Token));
        }
    }

    // The state is taken here and now; it is written when all is durable that was emitted up to now, so that no place
    // is saved that an update is still missing for.
    private async Task SaveAsync()
    {
        EmissionGroup emitted = _group;
        _group = new EmissionGroup();
        emitted.End();
        try
        {
            _stateBytes.ResetWrittenCount();
            _agent.SaveState(_stateBytes);
            var state = new SavedState(
                _agent.StateVersion, _host.PartitionCount, Time.GetUtcNow(),
                new Dictionary<string, BlockPlace>(_places),
                _stateBytes.WrittenMemory);
            byte[] file = state.ToArray();
            _isDirty = false;
            _savedAt = Time.GetTimestamp();
            await emitted.Settled;
            await _services.Files.RunAsync(() =>
            {
                new DurableFile(StatePath).Write(file);
                foreach ((string table, FeedSubscription feed) in _feeds)
                {
                    if (state.Places.TryGetValue(table, out BlockPlace place))
                    {
                        feed.Advance(place);
                    }
                }
            });
        }
        catch (Exception e)
        {
            _isDirty = true;
            _savedAt = Time.GetTimestamp();
            Logger.StateNotSaved(_host.Name, Index, e);
        }
    }
}
