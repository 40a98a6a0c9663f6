namespace Ingest.StandIns;

/// <summary>A query under way, and what one with the same id that comes meanwhile has to do with it.</summary>
internal sealed class RunningQuery
{
    private readonly TaskCompletionSource _askedAgain = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Whether it goes on only when it is sent once more.</summary>
    public bool IsHeldBack { get; set; }

    /// <summary>It was sent once more; returns when it has ended if it was held back for that.</summary>
    public void AskAgain()
    {
        _askedAgain.TrySetResult();
        if (IsHeldBack)
        {
            _ended.Task.Wait();
        }
    }

    /// <summary>Returns when it was sent once more.</summary>
    public void WaitUntilAskedAgain() => _askedAgain.Task.Wait();

    /// <summary>It has ended.</summary>
    public void End() => _ended.TrySetResult();
}
