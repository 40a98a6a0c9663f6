namespace Ingest.Server.Grpc;

/// <summary>Drains when the host stops, before Kestrel closes its connections.</summary>
/// <remarks>
/// <c>StoppingAsync</c> and not <c>StopAsync</c>: the web server is the first hosted service to be stopped.
/// </remarks>
internal sealed class DrainService(Drain drain, GrpcServerOptions options, ILogger<Drain> logger)
    : IHostedLifecycleService
{
    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        LogMessages.DrainStarted(logger, drain.ActiveCalls, options.DrainGrace);
        if (!await drain.RunAsync(options.DrainGrace, cancellationToken))
        {
            LogMessages.DrainIncomplete(logger, drain.ActiveCalls);
        }
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
