using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;

namespace Ingest.Fanout;

/// <summary>A broadcaster of Node and the npm package <c>ws</c>.</summary>
internal sealed class WebSocketPeer : PeerProcess
{
    private readonly Process _process;
    private readonly int _port;

    public WebSocketPeer(int updateBytes, string modules)
    {
        // Beside the packages, where Node looks for them.
        _process = Start(
            "node", Path.Combine(modules, "ws-broadcaster.mjs"), updateBytes.ToString(CultureInfo.InvariantCulture));
        (_port, UpdateBytes) = ReadHello(_process);
    }

    /// <inheritdoc/>
    public override string Name => "Node ws";

    /// <inheritdoc/>
    public override int UpdateBytes { get; }

    /// <inheritdoc/>
    protected override Process Process => _process;

    /// <inheritdoc/>
    protected override int Port => _port;

    /// <inheritdoc/>
    protected override Subscriber Subscribe(Socket socket, Sample? sample) =>
        new WebSocketSubscriber(socket, $"127.0.0.1:{Port}") { Sample = sample };

    /// <inheritdoc/>
    public override void PublishUpTo(long total) => _process.StandardInput.WriteLine($"publish {total}");
}
