using System.CommandLine;
using Ingest.Cli.Query;

namespace Ingest.Cli.Commands;

/// <summary>The options of every command that asks with SQL.</summary>
internal sealed class HttpOptions
{
    private const string DefaultAddress = "http://127.0.0.1:7480";

    private readonly Option<string?> _http = new("--http")
    {
        Description = $"The server's HTTP address [env INGEST_HTTP; default {DefaultAddress}]",
        HelpName = "url",
    };

    private readonly Option<string?> _apiKey = new("--api-key")
    {
        Description = "The API key [env INGEST_API_KEY]",
        HelpName = "key",
    };

    /// <summary>Adds the options to a command.</summary>
    /// <param name="command">The command.</param>
    /// <param name="hasApiKey">Whether it has an option for the key already.</param>
    public void AddTo(Command command, bool hasApiKey = false)
    {
        command.Add(_http);
        if (!hasApiKey)
        {
            command.Add(_apiKey);
        }
    }

    /// <summary>Makes the client that the user asked for.</summary>
    /// <exception cref="UsageException">The address is none.</exception>
    public QueryClient CreateClient(ParseResult result) => new(
        ServerOptions.ParseAddress(
            result.GetValue(_http) ?? Environment.GetEnvironmentVariable("INGEST_HTTP") ?? DefaultAddress),
        (result.CommandResult.Command.Options.Contains(_apiKey) ? result.GetValue(_apiKey) : result.GetValue<string?>("--api-key"))
            ?? Environment.GetEnvironmentVariable("INGEST_API_KEY"));
}
