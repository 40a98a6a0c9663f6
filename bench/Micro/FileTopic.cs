using System.Buffers.Binary;
using System.Threading.Channels;
using Google.Protobuf;

namespace Ingest.Micro;

/// <summary>
/// A topic as one would write it without ours: a channel to one writer, which appends what has gathered to a file,
/// flushes it to the disk once, adds it to a list under a lock, and says so to who published. No filters, keys, gaps
/// or tokens, nothing is evicted, and nothing reads the file after a crash.
/// </summary>
internal sealed class FileTopic : IAsyncDisposable
{
    private const long FileBytes = 64L << 20;

    private readonly Channel<(byte[] Update, TaskCompletionSource<long> Durable)> _published =
        Channel.CreateUnbounded<(byte[], TaskCompletionSource<long>)>(
            new UnboundedChannelOptions { SingleReader = true });

    private readonly int _maxCount;
    private readonly List<byte[]> _updates = [];
    private readonly Lock _lock = new();
    private readonly FileStream _file;
    private readonly Task _writer;
    private long _offset;

    public FileTopic(string path, int maxCount)
    {
        _maxCount = maxCount;
        _file = new FileStream(path, FileMode.Create);
        _writer = Task.Run(WriteAsync);
    }

    /// <summary>Publishes an update; the task has its offset when it is durable.</summary>
    public Task<long> PublishAsync(IMessage update)
    {
        var durable = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);
        _published.Writer.TryWrite((update.ToByteArray(), durable));
        return durable.Task;
    }

    /// <summary>Reads the update at a place of the list; null behind its end.</summary>
    public byte[]? Read(int place)
    {
        lock (_lock)
        {
            return place < _updates.Count ? _updates[place] : null;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _published.Writer.Complete();
        await _writer;
        await _file.DisposeAsync();
    }

    private async Task WriteAsync()
    {
        var group = new List<(byte[] Update, TaskCompletionSource<long> Durable)>();
        while (await _published.Reader.WaitToReadAsync())
        {
            group.Clear();
            while (_published.Reader.TryRead(out var published))
            {
                Append(published.Update);
                group.Add(published);
            }

            _file.Flush(flushToDisk: true);
            foreach (var (update, durable) in group)
            {
                lock (_lock)
                {
                    if (_updates.Count == _maxCount)
                    {
                        _updates.Clear();
                    }

                    _updates.Add(update);
                }

                durable.SetResult(_offset++);
            }
        }
    }

    private void Append(byte[] update)
    {
        if (_file.Position > FileBytes)
        {
            _file.SetLength(0);
        }

        Span<byte> length = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(length, update.Length);
        _file.Write(length);
        _file.Write(update);
    }
}
