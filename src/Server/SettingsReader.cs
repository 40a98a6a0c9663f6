using System.Diagnostics.CodeAnalysis;

namespace Ingest.Server;

/// <summary>Reads the settings, and says of all that is wrong which key it is.</summary>
internal static class SettingsReader
{
    public static bool TryRead(
        ConfigurationManager configuration, [NotNullWhen(true)] out ServerOptions? options,
        [NotNullWhen(false)] out string? fault)
    {
        (options, fault) = (null, null);
        string? secrets = configuration[$"{ServerOptions.Section}:{nameof(ServerOptions.SecretsDirectory)}"];
        if (!string.IsNullOrEmpty(secrets))
        {
            if (!Directory.Exists(secrets))
            {
                fault = $"Ingest:SecretsDirectory is '{secrets}', which is no directory.";
                return false;
            }

            configuration.AddKeyPerFile(Path.GetFullPath(secrets), optional: false);
        }

        SplitSchemas(configuration);
        ServerOptions read;
        try
        {
            read = configuration.GetSection(ServerOptions.Section)
                .Get<ServerOptions>(binder => binder.ErrorOnUnknownConfiguration = true) ?? new ServerOptions();
        }
        catch (InvalidOperationException error)
        {
            // The binder's own text names the key; of a value that does not parse the reason is within.
            fault = error.InnerException is { } inner ? $"{error.Message} {inner.Message}" : error.Message;
            return false;
        }

        fault = string.Join(Environment.NewLine, read.Validate());
        if (fault.Length > 0)
        {
            return false;
        }

        options = read;
        return true;
    }

    // One path is not worth an index: Ingest:Schemas=a.binpb is Ingest:Schemas:0=a.binpb, and a comma begins the next.
    private static void SplitSchemas(ConfigurationManager configuration)
    {
        string key = $"{ServerOptions.Section}:{nameof(ServerOptions.Schemas)}";
        if (configuration[key] is not { Length: > 0 } paths)
        {
            return;
        }

        configuration.AddInMemoryCollection(paths
            .Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Select((path, i) => KeyValuePair.Create($"{key}:{i}", (string?)path)));
    }
}
