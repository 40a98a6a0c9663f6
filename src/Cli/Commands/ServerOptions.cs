using System.CommandLine;
using Ingest.Client;

namespace Ingest.Cli.Commands;

/// <summary>The options of every command that speaks gRPC.</summary>
internal sealed class ServerOptions
{
    private const string DefaultServer = "http://127.0.0.1:7400";

    private readonly Option<string> _server = new("--server")
    {
        Description = $"The server's gRPC address [env INGEST_SERVER; default {DefaultServer}]",
        HelpName = "url",
    };

    private readonly Option<string?> _apiKey = new("--api-key")
    {
        Description = "The API key [env INGEST_API_KEY]",
        HelpName = "key",
    };

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        command.Add(_server);
        command.Add(_apiKey);
    }

    /// <summary>Makes the client that the user asked for.</summary>
    /// <exception cref="UsageException">The address is none.</exception>
    public IngestClient CreateClient(ParseResult result)
    {
        try
        {
            return new IngestClient(ReadOptions(result));
        }
        catch (ArgumentException exception)
        {
            throw new UsageException(exception.Message);
        }
    }

    /// <summary>What the user asked for.</summary>
    /// <exception cref="UsageException">The address is none.</exception>
    public IngestClientOptions ReadOptions(ParseResult result) => new()
    {
        Address = ParseAddress(
            result.GetValue(_server) ?? Environment.GetEnvironmentVariable("INGEST_SERVER") ?? DefaultServer),
        ApiKey = result.GetValue(_apiKey) ?? Environment.GetEnvironmentVariable("INGEST_API_KEY"),
    };

    /// <summary>Reads an address; without a scheme it is http.</summary>
    public static Uri ParseAddress(string text)
    {
        var full = text.Contains("://", StringComparison.Ordinal) ? text : $"http://{text}";
        return Uri.TryCreate(full, UriKind.Absolute, out var address)
            && (address.Scheme == Uri.UriSchemeHttp || address.Scheme == Uri.UriSchemeHttps)
            ? address
            : throw new UsageException($"'{text}' is no address; http://127.0.0.1:7400 is one.");
    }
}
