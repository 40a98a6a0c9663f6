using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Ingest.Fanout;

/// <summary>A server that fans out, in a process of its own.</summary>
internal abstract class PeerProcess : IDisposable
{
    private const double TicksPerSecond = 100;

    /// <summary>Its name in the report.</summary>
    public abstract string Name { get; }

    /// <summary>Subscriptions that share a connection.</summary>
    public virtual int SubscriptionsPerConnection => 1;

    /// <summary>Bytes of an update as it is published.</summary>
    public abstract int UpdateBytes { get; }

    /// <summary>CPU time of the server so far, seconds.</summary>
    public double CpuSeconds
    {
        get
        {
            string stat = File.ReadAllText($"/proc/{Process.Id}/stat");
            string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return (double.Parse(fields[11], CultureInfo.InvariantCulture)
                + double.Parse(fields[12], CultureInfo.InvariantCulture)) / TicksPerSecond;
        }
    }

    /// <summary>Memory of the server, bytes.</summary>
    public long ResidentBytes
    {
        get
        {
            string line = File.ReadLines($"/proc/{Process.Id}/status")
                .First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal));
            return 1024 * long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
        }
    }

    /// <summary>The server's process.</summary>
    protected abstract Process Process { get; }

    /// <summary>Its port on loopback.</summary>
    protected abstract int Port { get; }

    /// <summary>Connects a subscriber; the receiver takes it from there.</summary>
    /// <param name="sample">Looks into its updates.</param>
    /// <param name="receiveBytes">The kernel's buffer of what it has not read; 0: as it is.</param>
    public Subscriber Connect(Sample? sample, int receiveBytes = 0)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        if (receiveBytes > 0)
        {
            socket.ReceiveBufferSize = receiveBytes;
        }

        socket.Connect(IPAddress.Loopback, Port);
        return Subscribe(socket, sample);
    }

    /// <summary>Publishes as many updates as it takes to have published so many in all.</summary>
    public abstract void PublishUpTo(long total);

    /// <summary>Has a server that collects garbage do so, so that its memory is what it needs.</summary>
    public virtual void Settle()
    {
    }

    /// <inheritdoc/>
    public virtual void Dispose()
    {
        Process.Kill();
        Process.WaitForExit();
        Process.Dispose();
    }

    /// <summary>Begins a subscription over a connection.</summary>
    protected abstract Subscriber Subscribe(Socket socket, Sample? sample);

    /// <summary>Starts a process whose standard input takes commands.</summary>
    protected static Process Start(string command, params IEnumerable<string> arguments) => Process.Start(
        new ProcessStartInfo(command, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true })!;

    /// <summary>Reads the line <c>port N bytes N</c> that a server of ours begins with.</summary>
    protected static (int Port, int Bytes) ReadHello(Process process)
    {
        while (process.StandardOutput.ReadLine() is { } line)
        {
            if (line.Split(' ') is ["port", var port, "bytes", var bytes])
            {
                return (int.Parse(port, CultureInfo.InvariantCulture), int.Parse(bytes, CultureInfo.InvariantCulture));
            }
        }

        throw new InvalidOperationException("The server ended.");
    }
}
