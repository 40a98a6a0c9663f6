using System.Collections.Concurrent;

namespace Ingest.Agents.Hosting;

/// <summary>
/// A thread for the runtime's files, so that no agent waits for the disk. One after the other, in order.
/// </summary>
/// <remarks>A partition has at most one call here, so what waits is bounded by their number.</remarks>
internal sealed class FileThread : IDisposable
{
    private readonly BlockingCollection<Action> _calls = [];
    private readonly Thread _thread;

    public FileThread()
    {
        _thread = new Thread(Run) { IsBackground = true, Name = "agent files" };
        _thread.Start();
    }

    public Task RunAsync(Action call)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _calls.Add(() =>
        {
            try
            {
                call();
                done.SetResult();
            }
            catch (Exception e)
            {
                done.SetException(e);
            }
        });
        return done.Task;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _calls.CompleteAdding();
        _thread.Join();
        _calls.Dispose();
    }

    private void Run()
    {
        foreach (Action call in _calls.GetConsumingEnumerable())
        {
            call();
        }
    }
}
