using System.Threading.Channels;

namespace Ingest.Stores;

/// <summary>A thread of its own for calls that block, into the engine or to the disk: one after the other, in order.</summary>
/// <remarks>
/// Two blocked threads of the pool stall Kestrel on a small machine, so no such call runs there. At most
/// <see cref="MaxWaiting"/> calls wait; who brings another waits without holding a thread.
/// </remarks>
internal sealed class StoreThread : IAsyncDisposable
{
    private const int MaxWaiting = 16;

    private readonly Channel<Action> _calls = Channel.CreateBounded<Action>(
        new BoundedChannelOptions(MaxWaiting) { SingleReader = true });

    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private readonly Action? _first;

    /// <param name="name">Its name.</param>
    /// <param name="first">What it does before any call.</param>
    public StoreThread(string name, Action? first = null)
    {
        _first = first;
        new Thread(Run) { Name = name, IsBackground = true }.Start();
    }

    /// <summary>Runs a call on the thread. A call that has begun is not broken off.</summary>
    public async Task<T> RunAsync<T>(Func<T> call, CancellationToken cancellationToken = default)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        void Invoke()
        {
            if (cancellationToken.IsCancellationRequested)
            {
                done.TrySetCanceled(cancellationToken);
                return;
            }

            try
            {
                done.TrySetResult(call());
            }
            catch (Exception e)
            {
                done.TrySetException(e);
            }
        }

        try
        {
            await _calls.Writer.WriteAsync(Invoke, cancellationToken);
        }
        catch (ChannelClosedException)
        {
            throw new StoreException("The store is closed.", StoreFault.Unavailable);
        }

        return await done.Task;
    }

    /// <summary>Runs a call on the thread.</summary>
    public Task RunAsync(Action call, CancellationToken cancellationToken = default) => RunAsync(
        () =>
        {
            call();
            return true;
        },
        cancellationToken);

    /// <summary>Ends the thread after the calls that wait.</summary>
    public async ValueTask DisposeAsync()
    {
        _calls.Writer.TryComplete();
        await _ended.Task;
    }

    private void Run()
    {
        _first?.Invoke();
        ChannelReader<Action> calls = _calls.Reader;
        while (calls.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
        {
            while (calls.TryRead(out Action? call))
            {
                call();
            }
        }

        _ended.SetResult();
    }
}
