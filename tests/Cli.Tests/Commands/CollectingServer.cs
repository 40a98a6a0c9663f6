using System.Net;
using Ingest.Protocol;
using Ingest.Server.Grpc;
using Ingest.V1;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Ingest.Cli.Tests.Commands;

/// <summary>
/// The server's own transport with services that keep rows in lists. Points north of 89 degrees are rejected; a driver
/// `crash` ends the call. `POST /sql` answers with what a test has set.
/// </summary>
internal sealed class CollectingServer : IAsyncDisposable
{
    private readonly WebApplication _application;

    private CollectingServer(WebApplication application)
    {
        _application = application;
        var addresses = application.Services.GetRequiredService<IServer>()
            .Features.Get<IServerAddressesFeature>()!.Addresses;
        GrpcAddress = addresses.First();
        HttpAddress = addresses.Last();
    }

    public string GrpcAddress { get; }

    public string HttpAddress { get; }

    public List<GpsPoint> Points { get; } = [];

    public List<Event> Events { get; } = [];

    public List<MetricSample> Metrics { get; } = [];

    public List<Order> Orders { get; } = [];

    /// <summary>The statements that came.</summary>
    public List<string> Statements { get; } = [];

    /// <summary>The next answers to SQL.</summary>
    public (int Status, string Text) SqlAnswer { get; set; } = (200, "");

    public static async Task<CollectingServer> StartAsync()
    {
        var options = new GrpcServerOptions();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddGrpcTransport(options);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.ListenGrpc(new IPEndPoint(IPAddress.Loopback, 0), options);
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1);
        });
        var application = builder.Build();
        application.MapGrpcHealth();
        CollectingServer? server = null;
        application.MapGrpcService(IngestServiceReflection.Descriptor.Services[0])
            .ClientStreaming<StreamGpsPointsRequest, StreamGpsPointsResponse>(
                "StreamGpsPoints", (rows, call) => server!.TakePointsAsync(rows, call))
            .ClientStreaming<StreamEventsRequest, StreamEventsResponse>("StreamEvents", async (rows, _) =>
                new StreamEventsResponse { AcceptedCount = await TakeAsync(rows, server!.Events, r => r.Events) })
            .ClientStreaming<StreamMetricsRequest, StreamMetricsResponse>("StreamMetrics", async (rows, _) =>
                new StreamMetricsResponse { AcceptedCount = await TakeAsync(rows, server!.Metrics, r => r.Samples) })
            .ClientStreaming<StreamOrdersRequest, StreamOrdersResponse>("StreamOrders", async (rows, _) =>
                new StreamOrdersResponse { AcceptedCount = await TakeAsync(rows, server!.Orders, r => r.Orders) });
        application.MapPost("/sql", context => server!.AnswerSqlAsync(context));
        await application.StartAsync();
        server = new CollectingServer(application);
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        using var impatient = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        await _application.StopAsync(impatient.Token);
        await _application.DisposeAsync();
    }

    private static async Task<long> TakeAsync<TRequest, TRow>(
        RequestStream<TRequest> requests, List<TRow> rows, Func<TRequest, IEnumerable<TRow>> rowsOf)
        where TRequest : class, Google.Protobuf.IMessage<TRequest>
    {
        var count = 0;
        await foreach (var request in requests.ReadAllAsync())
        {
            lock (rows)
            {
                var before = rows.Count;
                rows.AddRange(rowsOf(request));
                count += rows.Count - before;
            }
        }
        return count;
    }

    private async Task<StreamGpsPointsResponse> TakePointsAsync(
        RequestStream<StreamGpsPointsRequest> requests, CallContext call)
    {
        var response = new StreamGpsPointsResponse();
        var row = 0L;
        await foreach (var request in requests.ReadAllAsync())
        {
            foreach (var point in request.Points)
            {
                if (point.DriverId == "crash")
                {
                    call.ResponseTrailers.Add("ingest-accepted-count", $"{response.AcceptedCount}");
                    throw new RpcException(StatusCode.InvalidArgument, "cannot be decoded");
                }
                if (point.Location.Lat > 89)
                {
                    response.RejectedCount++;
                    response.Errors.Add(new RowError
                    {
                        Row = row, Field = "location.lat", Code = RowErrorCode.OutOfRange, Message = "is too far north",
                    });
                }
                else
                {
                    response.AcceptedCount++;
                    lock (Points)
                    {
                        Points.Add(point);
                    }
                }
                row++;
            }
        }
        return response;
    }

    private async Task AnswerSqlAsync(HttpContext context)
    {
        using var reader = new StreamReader(context.Request.Body);
        Statements.Add(await reader.ReadToEndAsync());
        context.Response.StatusCode = SqlAnswer.Status;
        await context.Response.WriteAsync(SqlAnswer.Text);
    }
}
