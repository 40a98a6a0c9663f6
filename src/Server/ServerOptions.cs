using System.Net;

namespace Ingest.Server;

/// <summary>Settings of the server, section <c>Ingest</c> of the configuration.</summary>
public sealed record ServerOptions
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Ingest";

    /// <summary>Address to listen on; default 127.0.0.1, <c>*</c> for all.</summary>
    public string Listen { get; init; } = "127.0.0.1";

    /// <summary>Port of gRPC (HTTP/2); default 7400, 0 for any free one.</summary>
    public int GrpcPort { get; init; } = 7400;

    /// <summary>Port of HTTP/1.1: SQL, metrics, health, gRPC-Web; default 7480, 0 for any free one.</summary>
    public int HttpPort { get; init; } = 7480;

    /// <summary>Directory of log and embedded store; default <c>./data</c>.</summary>
    public string DataDirectory { get; init; } = "./data";

    /// <summary>
    /// Images of descriptors whose messages with the <c>(ingest.v1.table)</c> option are tables beside the server's own,
    /// and directories of such files; default none.
    /// </summary>
    public IReadOnlyList<string> Schemas { get; init; } = [];

    /// <summary>How often the images are looked at for changes; default 5 s, 0 for never.</summary>
    public TimeSpan SchemaReloadPeriod { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Directory of files that are settings: name the key with <c>__</c>, content the value; default none.</summary>
    public string SecretsDirectory { get; init; } = "";

    /// <summary>The log.</summary>
    public Log.LogOptions Log { get; init; } = new();

    /// <summary>What is taken before senders are slowed, and refused.</summary>
    public Ingest.Admission.AdmissionOptions Admission { get; init; } = new();

    /// <summary>Where segments go.</summary>
    public Stores.StoreOptions Store { get; init; } = new();

    /// <summary>How much of what agents conclude stays in memory, and when a subscriber counts as slow.</summary>
    public Ingest.Topics.TopicOptions Topics { get; init; } = new();

    /// <summary>The gRPC transport.</summary>
    public Grpc.GrpcServerOptions Grpc { get; init; } = new();

    /// <summary>Sessions of producers.</summary>
    public Services.AppendOptions Append { get; init; } = new();

    /// <summary>Subscriptions over gRPC.</summary>
    public Services.SubscribeOptions Subscribe { get; init; } = new();

    /// <summary>WebSocket, server-sent events and their status.</summary>
    public Realtime.RealtimeOptions Realtime { get; init; } = new();

    /// <summary>Queries over <c>POST /sql</c>.</summary>
    public Stores.QueryLimits Sql { get; init; } = new();

    /// <summary>Agents.</summary>
    public Agents.AgentsOptions Agents { get; init; } = new();

    /// <summary>
    /// How long after a SIGTERM segments are still handed to the store; default 25 s, so that the server has ended when
    /// Kubernetes' 30 s are over. Calls have the first of it, <c>Grpc:DrainGrace</c>, and the store what is left.
    /// </summary>
    public TimeSpan StopTimeout { get; init; } = TimeSpan.FromSeconds(25);

    /// <summary>The address to listen on.</summary>
    public IPAddress ListenAddress => Listen is "*" ? IPAddress.Any : IPAddress.Parse(Listen);

    /// <summary>Everything that is wrong with the settings, a sentence each that begins with the key.</summary>
    public IEnumerable<string> Validate()
    {
        if (Listen is not "*" && !IPAddress.TryParse(Listen, out _))
        {
            yield return $"Ingest:Listen is '{Listen}'; an IP address or * is expected.";
        }

        foreach ((string key, int port) in new[] { ("GrpcPort", GrpcPort), ("HttpPort", HttpPort) })
        {
            if (port is < 0 or > 65_535)
            {
                yield return $"Ingest:{key} is {port}; 0 to 65535 is valid.";
            }
        }

        if (GrpcPort == HttpPort && GrpcPort != 0)
        {
            yield return $"Ingest:GrpcPort and Ingest:HttpPort are both {GrpcPort}; they have to differ.";
        }

        if (DataDirectory.Length == 0)
        {
            yield return "Ingest:DataDirectory is empty.";
        }

        if (Log.DataDirectory != new Log.LogOptions().DataDirectory)
        {
            yield return "Ingest:Log:DataDirectory is not a setting; Ingest:DataDirectory is.";
        }

        if (SchemaReloadPeriod < TimeSpan.Zero)
        {
            yield return $"Ingest:SchemaReloadPeriod is {SchemaReloadPeriod}; 0 or more is valid.";
        }

        foreach (string fault in Log.Validate())
        {
            yield return $"Ingest:Log:{fault}";
        }

        foreach (string fault in Admission.Validate())
        {
            yield return $"Ingest:Admission:{fault}";
        }

        foreach (string fault in Agents.Validate())
        {
            yield return $"Ingest:Agents:{fault}";
        }

        foreach (string fault in Store.Validate())
        {
            yield return $"Ingest:Store:{fault}";
        }

        foreach (string fault in Topics.Validate())
        {
            yield return $"Ingest:Topics:{fault}";
        }

        foreach (string fault in Sql.Validate())
        {
            yield return $"Ingest:Sql:{fault}";
        }

        foreach (string fault in Grpc.Validate())
        {
            yield return $"Ingest:Grpc:{fault}";
        }

        if (StopTimeout < TimeSpan.Zero || StopTimeout > TimeSpan.FromDays(1))
        {
            yield return $"Ingest:StopTimeout is {StopTimeout}; a time up to a day is expected.";
        }

        if (Append.DrainDelay > Grpc.DrainGrace)
        {
            yield return $"Ingest:Append:DrainDelay is {Append.DrainDelay}; it has to be at most Ingest:Grpc:DrainGrace, "
                + $"which is {Grpc.DrainGrace}.";
        }

        if (Subscribe.DrainDelay > Grpc.DrainGrace)
        {
            yield return $"Ingest:Subscribe:DrainDelay is {Subscribe.DrainDelay}; it has to be at most "
                + $"Ingest:Grpc:DrainGrace, which is {Grpc.DrainGrace}.";
        }

        foreach (string fault in Subscribe.Validate())
        {
            yield return $"Ingest:Subscribe:{fault}";
        }

        foreach (string fault in Realtime.Validate(Grpc.DrainGrace))
        {
            yield return $"Ingest:Realtime:{fault}";
        }

        foreach (string fault in Append.Validate(Grpc.MaxMessageBytes))
        {
            yield return $"Ingest:Append:{fault}";
        }
    }
}
