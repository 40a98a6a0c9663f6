using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Ingest.Stores;

namespace Ingest.Tests.Stores.ClickHouse;

/// <summary>
/// A stand-in for a modern ClickHouse server: its HTTP interface, as much of it as is used, over libchdb; with faults.
/// Runs in a process of its own and is steered by lines on its standard input.
/// </summary>
/// <remarks>
/// A command is <c>FAULT TIMES [BYTES]</c> and holds for the next so many INSERTs; each is answered by <c>ok</c>.
/// <c>fail</c>: 500 as a gateway says it. <c>refuse</c>: 500 with ClickHouse's own text. <c>hang</c>: no answer and
/// nothing inserted. <c>silent</c>: inserted, no answer. <c>close</c>: closed after so many bytes of the body.
/// <c>afterwards</c>: inserted once the client has given up. <c>hold</c>: says <c>holding</c> when the engine has all
/// bytes, and waits to be killed.
/// </remarks>
internal sealed class StandInServer(StandInEngine engine)
{
    private readonly Lock _lock = new();
    private string _fault = "";
    private int _times;
    private int _bytes;

    /// <summary>Runs until the standard input ends.</summary>
    public static async Task RunAsync(string directory, int port)
    {
        using var engine = new StandInEngine(directory);
        var server = new StandInServer(engine);
        using var listener = new TcpListener(IPAddress.Loopback, port);
        listener.Start();
        new Thread(() => server.Accept(listener)) { IsBackground = true }.Start();
        Console.WriteLine($"listening {((IPEndPoint)listener.LocalEndpoint).Port}");
        while (await Console.In.ReadLineAsync() is { } command)
        {
            server.Command(command.Split(' '));
            Console.WriteLine("ok");
        }
    }

    private void Command(string[] words)
    {
        lock (_lock)
        {
            _fault = words[0];
            _times = int.Parse(words[1], CultureInfo.InvariantCulture);
            _bytes = words.Length > 2 ? int.Parse(words[2], CultureInfo.InvariantCulture) : 0;
        }
    }

    private string TakeFault()
    {
        lock (_lock)
        {
            return _times-- > 0 ? _fault : "";
        }
    }

    private void Accept(TcpListener listener)
    {
        while (true)
        {
            TcpClient client = listener.AcceptTcpClient();
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
                    Answer(request, stream);
                    stream.Flush();
                }
            }
        }
        catch (IOException)
        {
            // The client or a fault has closed the connection.
        }
    }

    private void Answer(StandInRequest request, Stream stream)
    {
        if (request.Path == "/ping")
        {
            Write(stream, 200, "Ok.\n"u8);
            return;
        }

        string fault = request.IsInsert ? TakeFault() : "";
        if (fault == "close")
        {
            StandInRequest.Skip(stream, _bytes);
            throw new IOException("closed on purpose");
        }

        request.ReadBody(stream);
        switch (fault)
        {
            case "fail":
                Write(stream, 500, "upstream is away"u8);
                return;
            case "refuse":
                Write(stream, 500, "Code: 252. DB::Exception: Too many parts (stand-in)"u8, code: 252);
                return;
            case "hang":
                WaitForClose(stream);
                return;
            case "afterwards":
                WaitForClose(stream);
                engine.Insert(request, () => { });
                return;
        }

        try
        {
            if (request.IsInsert)
            {
                engine.Insert(request, () => HoldIf(fault == "hold"));
            }

            byte[] answer = request.IsInsert ? [] : engine.Run(request);
            if (fault == "silent")
            {
                WaitForClose(stream);
            }

            Write(stream, 200, answer);
        }
        catch (StoreException e)
        {
            Write(stream, e.Message.StartsWith("Code: 516.", StringComparison.Ordinal) ? 403 : 500,
                Encoding.UTF8.GetBytes(e.Message), EngineError.Code(e.Message));
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

    private static void Write(Stream stream, int status, ReadOnlySpan<byte> body, int code = 0)
    {
        string exception = code == 0 ? "" : $"X-ClickHouse-Exception-Code: {code}\r\n";
        stream.Write(Encoding.ASCII.GetBytes(
            $"HTTP/1.1 {status} Status\r\nContent-Length: {body.Length}\r\n{exception}Connection: Keep-Alive\r\n\r\n"));
        stream.Write(body);
    }
}
