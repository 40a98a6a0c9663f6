namespace Ingest.Agents.Hosting;

/// <summary>
/// A thread for one partition of an agent: runs an asynchronous method and all that it continues with, one after the
/// other, so that the agent needs no locks and what it blocks is this thread.
/// </summary>
internal sealed class AgentThread : SynchronizationContext
{
    private readonly object _gate = new();
    private Queue<(SendOrPostCallback Callback, object? State)> _posted = new();
    private Queue<(SendOrPostCallback Callback, object? State)> _running = new();

    /// <summary>Runs a method on a new thread; the task is completed when it has ended.</summary>
    public Task RunAsync(string name, Func<Task> method)
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() => Run(method, ended)) { IsBackground = true, Name = name }.Start();
        return ended.Task;
    }

    /// <inheritdoc/>
    public override void Post(SendOrPostCallback d, object? state)
    {
        lock (_gate)
        {
            _posted.Enqueue((d, state));
            if (_posted.Count == 1)
            {
                Monitor.Pulse(_gate);
            }
        }
    }

    /// <inheritdoc/>
    public override void Send(SendOrPostCallback d, object? state) =>
        throw new NotSupportedException("waiting for an agent's thread could wait for ever");

    /// <inheritdoc/>
    public override SynchronizationContext CreateCopy() => this;

    private void Run(Func<Task> method, TaskCompletionSource ended)
    {
        SetSynchronizationContext(this);
        Task task;
        try
        {
            task = method();
        }
        catch (Exception e)
        {
            ended.SetException(e);
            return;
        }

        _ = task.ContinueWith(
            static (_, self) => ((AgentThread)self!).Post(static _ => { }, null), this, CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        while (!task.IsCompleted)
        {
            RunPosted();
        }

        ended.SetFromTask(task);
    }

    private void RunPosted()
    {
        lock (_gate)
        {
            while (_posted.Count == 0)
            {
                Monitor.Wait(_gate);
            }

            (_posted, _running) = (_running, _posted);
        }

        while (_running.TryDequeue(out (SendOrPostCallback Callback, object? State) work))
        {
            work.Callback(work.State);
        }
    }
}
