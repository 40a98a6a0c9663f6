using System.Text.Json;
using Ingest.Log;
using Microsoft.Extensions.Logging;

namespace Ingest.Topics;

/// <summary>
/// The places of named subscriptions, kept over restarts in <c>topics/places.json</c> of the data directory.
/// </summary>
/// <remarks>
/// Acks come far more often than a file should be flushed: what has changed is written a moment later, all together,
/// by a task of its own, and at the stop. After a kill a subscriber may be given again what it acknowledged in that
/// moment. Bounded by <see cref="TopicOptions.MaxPlaces"/>.
/// </remarks>
internal sealed class SubscriptionPlaces(
    ILogFiles disk, string directory, int maxPlaces, ILogger logger, TimeProvider time)
    : IDisposable
{
    private static readonly TimeSpan s_writeDelay = TimeSpan.FromMilliseconds(100);

    private readonly DurableFile _file = new(disk, Path.Combine(directory, "places.json"));
    private readonly SortedDictionary<string, string> _tokens = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _writing = new(1);
    private readonly Lock _gate = new();
    private bool _isDirty;
    private bool _isScheduled;
    private bool _isClosed;

    /// <summary>Reads what an earlier run left.</summary>
    /// <exception cref="IOException">The disk refuses.</exception>
    public void Open()
    {
        try
        {
            byte[]? bytes = _file.Read();
            foreach ((string name, string token) in
                bytes is null ? [] : JsonSerializer.Deserialize<Dictionary<string, string>>(bytes) ?? [])
            {
                _tokens[name] = token;
            }
        }
        catch (JsonException e)
        {
            logger.TopicFileDamaged(_file.Path, e.Message);
        }
    }

    /// <summary>The token that is kept under a name; null when there is none.</summary>
    public string? Find(string name)
    {
        lock (_gate)
        {
            return _tokens.GetValueOrDefault(name);
        }
    }

    /// <summary>Keeps a token under a name; nothing once it is closed.</summary>
    /// <exception cref="TopicException">The name is new, and there is no room for it.</exception>
    public void Keep(string name, string token)
    {
        lock (_gate)
        {
            if (_isClosed)
            {
                return;
            }

            if (!_tokens.ContainsKey(name) && _tokens.Count >= maxPlaces)
            {
                throw new TopicException(
                    "subscription",
                    $"There are {_tokens.Count} named subscriptions, as many as Ingest:Topics:MaxPlaces allows.");
            }

            _tokens[name] = token;
            _isDirty = true;
            if (_isScheduled)
            {
                return;
            }

            _isScheduled = true;
        }

        _ = WriteLaterAsync();
    }

    /// <summary>Writes what has changed, and takes no more.</summary>
    public Task CloseAsync()
    {
        lock (_gate)
        {
            _isClosed = true;
        }

        return FlushAsync();
    }

    /// <inheritdoc/>
    public void Dispose() => _writing.Dispose();

    private async Task FlushAsync()
    {
        await _writing.WaitAsync().ConfigureAwait(false);
        try
        {
            await Task.Run(Write).ConfigureAwait(false);
        }
        catch (Exception e) when (DiskFault.Is(e))
        {
            logger.TopicFileNotWritten(_file.Path, e);
        }
        finally
        {
            _writing.Release();
        }
    }

    private async Task WriteLaterAsync()
    {
        await Task.Delay(s_writeDelay, time).ConfigureAwait(false);
        lock (_gate)
        {
            _isScheduled = false;
            if (_isClosed)
            {
                return;
            }
        }

        await FlushAsync().ConfigureAwait(false);
    }

    private void Write()
    {
        byte[] content;
        lock (_gate)
        {
            if (!_isDirty)
            {
                return;
            }

            content = JsonSerializer.SerializeToUtf8Bytes(_tokens);
            _isDirty = false;
        }

        try
        {
            _file.Write(content);
        }
        catch
        {
            lock (_gate)
            {
                _isDirty = true;
            }

            throw;
        }
    }
}
