using Grpc.Health.V1;
using Ingest.Protocol;
using static Grpc.Health.V1.HealthCheckResponse.Types;
using ServiceDescriptor = Google.Protobuf.Reflection.ServiceDescriptor;

namespace Ingest.Server.Grpc;

/// <summary><c>grpc.health.v1</c> over <see cref="HealthStatus"/>.</summary>
internal sealed class HealthService(HealthStatus health)
{
    private const int MaxListed = 100;

    public static ServiceDescriptor Descriptor => HealthReflection.Descriptor.Services[0];

    public void Bind(GrpcServiceBinder service) => service
        .Unary<HealthCheckRequest, HealthCheckResponse>("Check", CheckAsync)
        .Unary<HealthListRequest, HealthListResponse>("List", ListAsync)
        .ServerStreaming<HealthCheckRequest, HealthCheckResponse>("Watch", WatchAsync);

    private Task<HealthCheckResponse> CheckAsync(HealthCheckRequest request, CallContext call) =>
        health.Get(request.Service) is { } status
            ? Task.FromResult(new HealthCheckResponse { Status = status })
            : throw new RpcException(StatusCode.NotFound, $"The service '{request.Service}' is not known.");

    private Task<HealthListResponse> ListAsync(HealthListRequest request, CallContext call)
    {
        var statuses = health.GetAll();
        if (statuses.Count > MaxListed)
        {
            throw new RpcException(StatusCode.ResourceExhausted,
                $"There are {statuses.Count} services; at most {MaxListed} are listed.");
        }

        var response = new HealthListResponse();
        foreach (var (service, status) in statuses)
        {
            response.Statuses.Add(service, new HealthCheckResponse { Status = status });
        }

        return Task.FromResult(response);
    }

    private async Task WatchAsync(
        HealthCheckRequest request, ResponseStream<HealthCheckResponse> responses, CallContext call)
    {
        using var wake = CancellationTokenSource.CreateLinkedTokenSource(call.CancellationToken, call.Draining);
        ServingStatus? sent = null;
        while (true)
        {
            // Health goes down before the drain starts, so whoever watches hears of it before the call ends.
            var draining = call.Draining.IsCancellationRequested;
            var changed = health.Changed;
            var status = health.Get(request.Service) ?? ServingStatus.ServiceUnknown;
            if (status != sent)
            {
                await responses.WriteAsync(new HealthCheckResponse { Status = status });
                sent = status;
            }

            if (draining)
            {
                throw GrpcErrors.ShuttingDown();
            }

            await changed.WaitAsync(wake.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            call.CancellationToken.ThrowIfCancellationRequested();
        }
    }
}
