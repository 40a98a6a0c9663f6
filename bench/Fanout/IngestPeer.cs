using System.Diagnostics;
using System.Net.Sockets;

namespace Ingest.Fanout;

/// <summary>The server of this project: its transport, its subscription service and its topics, the log included.</summary>
/// <param name="perConnection">Subscriptions that share a connection.</param>
/// <param name="http2">Whose HTTP/2: <c>Own</c> or <c>Kestrel</c>.</param>
internal sealed class IngestPeer(int perConnection, string http2 = "Own") : PeerProcess
{
    private readonly Process _process = Start("dotnet", typeof(IngestPeer).Assembly.Location, "serve", http2);
    private (int Port, int Bytes)? _hello;

    /// <inheritdoc/>
    public override string Name => (http2 == "Own" ? "ingest" : "ingest on Kestrel's HTTP/2")
        + (perConnection == 1 ? "" : $", {perConnection} a connection");

    /// <inheritdoc/>
    public override int SubscriptionsPerConnection => perConnection;

    /// <inheritdoc/>
    public override int UpdateBytes => Hello.Bytes;

    /// <inheritdoc/>
    protected override Process Process => _process;

    /// <inheritdoc/>
    protected override int Port => Hello.Port;

    private (int Port, int Bytes) Hello => _hello ??= ReadHello(_process);

    /// <inheritdoc/>
    protected override Subscriber Subscribe(Socket socket, Sample? sample) =>
        new GrpcSubscriber(socket, perConnection, ServeCommand.Topic, $"127.0.0.1:{Port}") { Sample = sample };

    /// <inheritdoc/>
    public override void PublishUpTo(long total) => _process.StandardInput.WriteLine($"publish {total}");

    /// <inheritdoc/>
    public override void Settle()
    {
        _process.StandardInput.WriteLine("settle");
        while (_process.StandardOutput.ReadLine() is { } line && line != "settled")
        {
        }
    }
}
