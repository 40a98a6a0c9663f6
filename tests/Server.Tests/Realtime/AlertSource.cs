namespace Ingest.Server.Tests.Realtime;

/// <summary>Publishes numbered alerts, one after the other without a pause, until it is disposed.</summary>
internal sealed class AlertSource : IAsyncDisposable
{
    private readonly CancellationTokenSource _ended = new();
    private readonly Task _publishing;

    public AlertSource(RealtimeServer server) => _publishing = PublishAsync(server);

    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync();
        await _publishing;
        _ended.Dispose();
    }

    private async Task PublishAsync(RealtimeServer server)
    {
        for (int number = 0; !_ended.IsCancellationRequested; number++)
        {
            await server.PublishAsync(number, message: "somewhere something is not as it should be, since " + number);
            await Task.Delay(1);
        }
    }
}
