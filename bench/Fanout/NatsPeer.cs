using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Ingest.Fanout;

/// <summary>nats-server, with a publisher over its own protocol.</summary>
internal sealed class NatsPeer : PeerProcess
{
    private readonly Process _process;
    private readonly int _port = FreePort();
    private readonly Socket _publisher;
    private readonly string _padding;
    private readonly string _head;
    private long _published;

    public NatsPeer(int updateBytes)
    {
        UpdateBytes = updateBytes;
        _head = $"PUB fanout {updateBytes}\r\n";
        _padding = new string('x', updateBytes - Sample.Mark(0).Length) + "\r\n";
        _process = Start(
            "nats-server", "--addr", "127.0.0.1", "--port", _port.ToString(CultureInfo.InvariantCulture), "--log", "/dev/null");
        _publisher = DialWhenUp();
        _publisher.Send("CONNECT {\"verbose\":false,\"pedantic\":false}\r\n"u8);
        new Thread(AnswerPings) { IsBackground = true }.Start();
    }

    /// <inheritdoc/>
    public override string Name => "nats-server";

    /// <inheritdoc/>
    public override int UpdateBytes { get; }

    /// <inheritdoc/>
    protected override Process Process => _process;

    /// <inheritdoc/>
    protected override int Port => _port;

    /// <inheritdoc/>
    protected override Subscriber Subscribe(Socket socket, Sample? sample) => new NatsSubscriber(socket) { Sample = sample };

    /// <inheritdoc/>
    public override void PublishUpTo(long total)
    {
        var batch = new StringBuilder();
        for (; _published < total; _published++)
        {
            batch.Append(_head).Append(Sample.Mark(_published)).Append(_padding);
        }

        lock (_publisher)
        {
            _publisher.Send(Encoding.ASCII.GetBytes(batch.ToString()));
        }
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _publisher.Dispose();
        base.Dispose();
    }

    private static int FreePort()
    {
        using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        probe.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)probe.LocalEndPoint!).Port;
    }

    private Socket DialWhenUp()
    {
        var clock = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                socket.Connect(IPAddress.Loopback, _port);
                return socket;
            }
            catch (SocketException) when (clock.Elapsed < TimeSpan.FromSeconds(10))
            {
                Thread.Sleep(20);
            }
        }
    }

    // The server says INFO, and PING now and then.
    private void AnswerPings()
    {
        byte[] buffer = new byte[4096];
        try
        {
            while (_publisher.Receive(buffer) is > 0 and var count)
            {
                if (buffer.AsSpan(0, count).IndexOf("PING\r\n"u8) >= 0)
                {
                    lock (_publisher)
                    {
                        _publisher.Send("PONG\r\n"u8);
                    }
                }
            }
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            // The run is over.
        }
    }
}
