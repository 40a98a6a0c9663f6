using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using Ingest.Stores;

namespace Ingest.StandIns;

/// <summary>
/// A stand-in for a modern ClickHouse server: its HTTP interface, as much of it as is used, over libchdb; with faults.
/// Runs in a process of its own and is steered by lines on its standard input.
/// </summary>
/// <remarks>
/// <para>
/// A command is <c>FAULT TIMES [NUMBER]</c> and holds for the next so many INSERTs, <c>any-FAULT</c> for the next so many
/// requests; each is answered by <c>ok</c>. <c>fail</c>: 500 as a gateway says it. <c>refuse</c>: 500 with ClickHouse's
/// own text. <c>short</c>: what ClickHouse says of a body that a proxy cut off. <c>hang</c>: no answer and nothing
/// done. <c>silent</c>: done, no answer. <c>close</c>: closed after so many bytes of the body, <c>reset</c>: the same with
/// RST. <c>afterwards</c>: done so many ms after the client has given up. <c>meanwhile</c>: done when the client has given
/// up and sent it again, before that is refused. <c>hold</c>: says <c>holding</c> when the engine has all bytes, and waits
/// to be killed. <c>cut</c>: <c>close</c> 1,000 bytes later each time. <c>random</c>: one of them, or none, by chance.
/// </para>
/// <para>
/// As ClickHouse does, it refuses a query whose id is that of one that still runs. SIGTERM ends it when what runs is done.
/// </para>
/// </remarks>
internal sealed class StandInServer(StandInEngine engine) : IDisposable
{
    private readonly FaultPlan _faults = new();
    private readonly ConcurrentDictionary<string, RunningQuery> _running = new(StringComparer.Ordinal);
    private readonly ReaderWriterLockSlim _ending = new();

    /// <summary>Runs until the standard input ends.</summary>
    public static async Task RunAsync(string directory, int port)
    {
        using var engine = new StandInEngine(directory);
        using var server = new StandInServer(engine);
        using TcpListener listener = Listen(port);
        using PosixSignalRegistration onStop = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context =>
        {
            context.Cancel = true;
            server.End(listener);
        });
        new Thread(() => server.Accept(listener)) { IsBackground = true }.Start();
        Console.WriteLine($"listening {((IPEndPoint)listener.LocalEndpoint).Port}");
        while (await Console.In.ReadLineAsync() is { } command)
        {
            server._faults.Set(command);
            Console.WriteLine("ok");
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _ending.Dispose();

    /// <summary>
    /// Listens on the port, or on any that clients are not given: one that tries to reach a server that is down could
    /// be given the server's own port, and meet itself there.
    /// </summary>
    private static TcpListener Listen(int port)
    {
        while (true)
        {
            var listener = new TcpListener(IPAddress.Loopback, port != 0 ? port : Random.Shared.Next(20_000, 32_000));
            try
            {
                listener.Start();
                return listener;
            }
            catch (SocketException e) when (port == 0 && e.SocketErrorCode == SocketError.AddressAlreadyInUse)
            {
                listener.Dispose();
            }
        }
    }

    private void End(TcpListener listener)
    {
        listener.Stop();
        _ending.EnterWriteLock();
        engine.Dispose();
        Environment.Exit(0);
    }

    private void Accept(TcpListener listener)
    {
        while (true)
        {
            TcpClient client;
            try
            {
                client = listener.AcceptTcpClient();
            }
            catch (SocketException)
            {
                // Stopped.
                return;
            }

            new Thread(() => Serve(client)) { IsBackground = true }.Start();
        }
    }

    private void Serve(TcpClient client)
    {
        try
        {
            using (client)
            using (var stream = new BufferedStream(client.GetStream()))
            {
                while (StandInRequest.ReadHead(stream) is { } request)
                {
                    Answer(request, stream, client);
                    stream.Flush();
                }
            }
        }
        catch (IOException)
        {
            // The client or a fault has closed the connection.
        }
    }

    private void Answer(StandInRequest request, Stream stream, TcpClient client)
    {
        if (request.Path == "/ping")
        {
            Write(stream, 200, "Ok.\n"u8);
            return;
        }

        var query = new RunningQuery();
        if (request.QueryId.Length > 0 && _running.GetOrAdd(request.QueryId, query) is { } other && other != query)
        {
            request.ReadBody(stream);
            other.AskAgain();
            Refuse(stream, 216, $"Code: 216. DB::Exception: Query with id = {request.QueryId} is already running.");
            return;
        }

        try
        {
            Serve(request, query, stream, client);
        }
        finally
        {
            _running.TryRemove(new KeyValuePair<string, RunningQuery>(request.QueryId, query));
            query.End();
        }
    }

    private void Serve(StandInRequest request, RunningQuery query, Stream stream, TcpClient client)
    {
        Fault fault = _faults.Take(request);
        if (fault.Name is "close" or "reset")
        {
            StandInRequest.Skip(stream, Math.Min(fault.Number, request.Length));
            client.LingerState = new LingerOption(enable: fault.Name == "reset", seconds: 0);
            throw new IOException("closed on purpose");
        }

        request.ReadBody(stream);
        switch (fault.Name)
        {
            case "fail":
                Write(stream, 500, "upstream is away"u8);
                return;
            case "refuse":
                Refuse(stream, 252, "Code: 252. DB::Exception: Too many parts (stand-in)");
                return;
            case "short":
                Refuse(stream, 33, "Code: 33. DB::Exception: Unexpected EOF, got 1 of 2 bytes (stand-in)");
                return;
            case "hang":
                WaitForClose(stream);
                return;
            case "afterwards":
                WaitForClose(stream);
                Thread.Sleep(fault.Number);
                RunUnheard(request);
                return;
            case "meanwhile":
                query.IsHeldBack = true;
                WaitForClose(stream);
                query.WaitUntilAskedAgain();
                RunUnheard(request);
                return;
        }

        try
        {
            byte[] answer = Run(request, hold: fault.Name == "hold");
            if (fault.Name == "silent")
            {
                WaitForClose(stream);
            }

            Write(stream, 200, answer);
        }
        catch (StoreException e)
        {
            Refuse(stream, EngineError.Code(e.Message), e.Message);
        }
    }

    private void RunUnheard(StandInRequest request)
    {
        try
        {
            Run(request, hold: false);
        }
        catch (StoreException)
        {
            // Nobody is there to hear that it was refused.
        }
    }

    private byte[] Run(StandInRequest request, bool hold)
    {
        _ending.EnterReadLock();
        try
        {
            if (!request.IsInsert)
            {
                return engine.Run(request);
            }

            engine.Insert(request, () => HoldIf(hold));
            return [];
        }
        finally
        {
            _ending.ExitReadLock();
        }
    }

    private static void HoldIf(bool hold)
    {
        if (hold)
        {
            Console.WriteLine("holding");
            Thread.Sleep(Timeout.Infinite);
        }
    }

    private static void WaitForClose(Stream stream)
    {
        try
        {
            while (stream.ReadByte() >= 0)
            {
            }
        }
        catch (IOException)
        {
            // It was closed hard.
        }
    }

    private static void Refuse(Stream stream, int code, string text) =>
        Write(stream, code == 516 ? 403 : 500, Encoding.UTF8.GetBytes(text), code);

    private static void Write(Stream stream, int status, ReadOnlySpan<byte> body, int code = 0)
    {
        string exception = code == 0 ? "" : $"X-ClickHouse-Exception-Code: {code}\r\n";
        stream.Write(Encoding.ASCII.GetBytes(
            $"HTTP/1.1 {status} Status\r\nContent-Length: {body.Length}\r\n{exception}Connection: Keep-Alive\r\n\r\n"));
        stream.Write(body);
    }
}
