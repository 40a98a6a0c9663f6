using System.Globalization;
using System.IO.Compression;
using System.Text;

namespace Ingest.StandIns;

/// <summary>A request as ClickHouse's HTTP interface takes it.</summary>
internal sealed class StandInRequest
{
    /// <summary>Path, without the parameters.</summary>
    public string Path { get; private set; } = "";

    /// <summary>Parameters of the URL.</summary>
    public Dictionary<string, string> Parameters { get; } = new(StringComparer.Ordinal);

    /// <summary>Headers; names are not case-sensitive.</summary>
    public Dictionary<string, string> Headers { get; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Length of the body as the client says it; 0 when it does not.</summary>
    public int Length => Headers.TryGetValue("Content-Length", out string? length)
        ? int.Parse(length, CultureInfo.InvariantCulture) : 0;

    /// <summary>The id that the client gives the query, or none.</summary>
    public string QueryId => Parameters.GetValueOrDefault("query_id", "");

    /// <summary>The whole body, decompressed.</summary>
    public byte[] Body { get; private set; } = [];

    /// <summary>The statement: the parameter, or the body.</summary>
    public string Statement => Parameters.TryGetValue("query", out string? query) ? query : Encoding.UTF8.GetString(Body);

    /// <summary>Whether it brings rows.</summary>
    public bool IsInsert => Parameters.GetValueOrDefault("query", "").StartsWith("INSERT ", StringComparison.Ordinal);

    /// <summary>Reads what stands before the body; null when the client has closed the connection.</summary>
    public static StandInRequest? ReadHead(Stream stream)
    {
        string first = ReadLine(stream);
        if (first.Length == 0)
        {
            return null;
        }

        var request = new StandInRequest();
        string[] target = first.Split(' ')[1].Split('?', 2);
        request.Path = target[0];
        foreach (string pair in target.Length > 1 ? target[1].Split('&') : [])
        {
            string[] parts = pair.Split('=', 2);
            request.Parameters[parts[0]] = Uri.UnescapeDataString(parts[1].Replace('+', ' '));
        }

        while (ReadLine(stream) is { Length: > 0 } line)
        {
            string[] parts = line.Split(':', 2, StringSplitOptions.TrimEntries);
            request.Headers[parts[0]] = parts[1];
        }

        return request;
    }

    /// <summary>Reads the body. One that ends early is an error, as it is for a modern server.</summary>
    public void ReadBody(Stream stream)
    {
        using var body = new MemoryStream();
        if (Headers.ContainsKey("Transfer-Encoding"))
        {
            while (int.Parse(ReadLine(stream), NumberStyles.HexNumber, CultureInfo.InvariantCulture) is var size and > 0)
            {
                Copy(stream, body, size);
                ReadLine(stream);
            }

            ReadLine(stream);
        }
        else
        {
            Copy(stream, body, Length);
        }

        body.Position = 0;
        if (Headers.GetValueOrDefault("Content-Encoding") != "gzip")
        {
            Body = body.ToArray();
            return;
        }

        using var plain = new MemoryStream();
        using (var gzip = new GZipStream(body, CompressionMode.Decompress))
        {
            gzip.CopyTo(plain);
        }

        Body = plain.ToArray();
    }

    /// <summary>Takes some bytes of the body and drops them.</summary>
    public static void Skip(Stream stream, int bytes) => Copy(stream, Stream.Null, bytes);

    private static void Copy(Stream from, Stream to, int bytes)
    {
        byte[] piece = new byte[bytes];
        from.ReadExactly(piece);
        to.Write(piece);
    }

    private static string ReadLine(Stream stream)
    {
        var line = new StringBuilder();
        for (int b = stream.ReadByte(); b >= 0 && b != '\n'; b = stream.ReadByte())
        {
            line.Append((char)b);
        }

        return line.ToString().TrimEnd('\r');
    }
}
