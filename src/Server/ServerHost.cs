using System.Diagnostics;
using System.Net;
using System.Runtime.InteropServices;
using Ingest.Agents;
using Ingest.Log;
using Ingest.Schema;
using Ingest.Server.Grpc;
using Ingest.Server.Http;
using Ingest.Server.Observability;
using Ingest.Server.Realtime;
using Ingest.Server.Services;
using Ingest.Stores;
using Ingest.V1;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Ingest.Server;

/// <summary>Puts the server together and runs it.</summary>
public static class ServerHost
{
    /// <summary>Exit code of a server whose settings are wrong.</summary>
    public const int ExitSettings = 2;

    /// <summary>Exit code of a server that cannot start: a port or a directory in use, no engine.</summary>
    public const int ExitStart = 3;

    // Else the host watches the working directory for changes of appsettings.json, with every directory below it: by
    // default the data directory too, with each file that the log and the engine make.
    private const string ReadSettingsOnce = "--hostBuilder:reloadConfigOnChange=false";

    // For Kestrel to close its connections once their calls have ended; those that are not read are aborted then.
    private static readonly TimeSpan s_closeTimeout = TimeSpan.FromSeconds(1);

    /// <summary>Runs the server until it is told to stop.</summary>
    /// <param name="args">Settings as <c>--Ingest:Key=value</c>.</param>
    /// <param name="output">Where it says that it is up.</param>
    /// <param name="errors">Where it says why it cannot start.</param>
    /// <returns>The process's exit code.</returns>
    public static async Task<int> RunAsync(string[] args, TextWriter output, TextWriter errors)
    {
        using var signals = new StopSignals();
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder([ReadSettingsOnce, .. args]);
        if (!SettingsReader.TryRead(builder.Configuration, out ServerOptions? options, out string? fault))
        {
            return await FailAsync(errors, fault, ExitSettings);
        }

        try
        {
            await RunAsync(builder, options, output, signals);
            return 0;
        }
        catch (OperationCanceledException) when (signals.Asked.IsCancellationRequested)
        {
            // Asked to stop before it was up.
            return 0;
        }
        catch (SchemaException error)
        {
            return await FailAsync(errors, error.Message, ExitSettings);
        }
        catch (Exception error) when (Explain(error, options) is { } text)
        {
            return await FailAsync(errors, text, ExitStart);
        }
    }

    private static async Task RunAsync(
        WebApplicationBuilder builder, ServerOptions options, TextWriter output, StopSignals signals)
    {
        builder.AddIngestObservability();
        builder.Services.AddGrpcTransport(options.Grpc);
        builder.Services.AddSingleton<IHostLifetime>(signals);
        builder.Services.Configure<HostOptions>(
            host => host.ShutdownTimeout = options.Grpc.DrainGrace + Drain.EndTimeout + s_closeTimeout);
        builder.WebHost.ConfigureKestrel(kestrel => Listen(kestrel, options));
        using ILoggerFactory loggers = LoggerFactory.Create(
            logging => logging.AddConfiguration(builder.Configuration.GetSection("Logging")).AddIngestConsole());
        var pipelineOptions = new PipelineOptions
        {
            Log = options.Log with { DataDirectory = options.DataDirectory },
            Admission = options.Admission,
            Store = options.Store,
            Topics = options.Topics,
            Schemas = options.Schemas,
            SchemaReloadPeriod = options.SchemaReloadPeriod,
            HoldsForListeners = true,
        };
        Task<IngestPipeline> opening = IngestPipeline.OpenAsync(
            pipelineOptions, loggers, TimeProvider.System, signals.Asked);
        builder.Services.AddSingleton(services => new SubscriptionSessions(
            options.Subscribe, opening.Result.Admission, services.GetRequiredService<TimeProvider>(),
            services.GetRequiredService<Drain>().Started));

        // Built while the pipeline opens, and disposed before it all the same.
        Task<WebApplication> building = Task.Run(builder.Build);
        await using IngestPipeline pipeline = await OrDisposeAsync(opening, building);
        await using AgentRuntime agents = AgentRuntime.Start(
            pipeline, options.Agents, options.DataDirectory, loggers, TimeProvider.System);
        using PosixSignalRegistration reload = ReloadOnSignal(pipeline);
        await using WebApplication app = await building;
        var requests = app.Services.GetRequiredService<RequestMemory>();
        requests.Limit(pipeline.Admission.MaxBufferedBytes);
        pipeline.Admission.AddBuffers(() => requests.HeldBytes);
        Map(app, options, pipeline, agents);
        await app.StartAsync(signals.Asked);
        StartReport.Write(output, app, options, pipeline);
        var stopping = new Stopwatch();
        app.Lifetime.ApplicationStopping.Register(stopping.Start);
        await using CancellationTokenRegistration onSignal = signals.Asked.Register(app.Lifetime.StopApplication);
        await app.WaitForShutdownAsync();
        await agents.StopAsync(Left(options.StopTimeout, stopping.Elapsed));
        await pipeline.StopAsync(Left(options.StopTimeout, stopping.Elapsed));
    }

    private static async Task<IngestPipeline> OrDisposeAsync(
        Task<IngestPipeline> opening, Task<WebApplication> building)
    {
        try
        {
            return await opening;
        }
        catch
        {
            await (await building).DisposeAsync();
            throw;
        }
    }

    private static TimeSpan Left(TimeSpan limit, TimeSpan used) => used < limit ? limit - used : TimeSpan.Zero;

    private static PosixSignalRegistration ReloadOnSignal(IngestPipeline pipeline) => PosixSignalRegistration.Create(
        PosixSignal.SIGHUP,
        signal =>
        {
            signal.Cancel = true; // Or the process would end.
            pipeline.Schemas.RequestReload();
        });

    private static void Listen(KestrelServerOptions kestrel, ServerOptions options)
    {
        kestrel.ListenGrpc(new IPEndPoint(options.ListenAddress, options.GrpcPort), options.Grpc);
        kestrel.Listen(new IPEndPoint(options.ListenAddress, options.HttpPort), http => http.Protocols = HttpProtocols.Http1);
    }

    private static void Map(
        WebApplication app, ServerOptions options, IngestPipeline pipeline, AgentRuntime agents)
    {
        TimeProvider time = app.Services.GetRequiredService<TimeProvider>();
        new IngestService(pipeline, options.Append, time)
            .Bind(app.MapGrpcService(IngestServiceReflection.Descriptor.Services[0]));
        new SubscriptionService(pipeline.Topics, app.Services.GetRequiredService<SubscriptionSessions>())
            .Bind(app.MapGrpcService(SubscriptionServiceReflection.Descriptor.Services[0]));
        new AgentService(agents).Bind(app.MapGrpcService(AgentServiceReflection.Descriptor.Services[0]));
        app.MapGrpcHealth();
        app.MapGrpcReflection();
        app.MapSql(pipeline.Store, options.Sql);
        app.MapAgents(agents);
        app.MapRealtime(options.Realtime, pipeline.Topics, agents.RequestAsync);
        app.MapIngestObservability(pipeline);
    }

    // What people can do something about gets a sentence; anything else is a bug and keeps its stack trace.
    private static string? Explain(Exception error, ServerOptions options) => error switch
    {
        DataDirectoryInUseException or StoreException or AgentException => error.Message,
        IOException { InnerException: AddressInUseException } => error.Message.Contains($":{options.GrpcPort}")
            ? $"Port {options.GrpcPort} is in use; set Ingest:GrpcPort to another."
            : $"Port {options.HttpPort} is in use; set Ingest:HttpPort to another.",
        UnauthorizedAccessException or IOException => $"Cannot start: {error.Message}",
        _ => null,
    };

    private static async Task<int> FailAsync(TextWriter errors, string text, int exitCode)
    {
        await errors.WriteLineAsync(text);
        return exitCode;
    }
}
