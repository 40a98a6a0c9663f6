using System.Text;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Ingest.Log;
using Microsoft.Extensions.Logging;

namespace Ingest.Agents.Hosting;

/// <summary>
/// The values of an agent's settings: checked before they are taken, on disk before they are in force, and there again
/// after a restart. One change after the other.
/// </summary>
internal sealed class AgentConfiguration : IDisposable
{
    private const string RevisionKey = "revision";
    private const string ValuesKey = "values";

    private readonly AgentHost _host;
    private readonly IReadOnlyList<AgentSetting> _settings;
    private readonly string _path;
    private readonly ILogger _logger;
    private readonly SemaphoreSlim _one = new(1);
    private volatile AgentConfigurationValues _current;

    public AgentConfiguration(AgentHost host, IReadOnlyList<AgentSetting> settings)
    {
        _host = host;
        _settings = settings;
        _path = Path.Combine(host.Services.Directory, host.Name, "config.json");
        _logger = host.Services.Loggers.CreateLogger($"Ingest.Agents.{host.Name}");
        _current = Load();
    }

    /// <summary>What is in force.</summary>
    public AgentConfigurationValues Current => _current;

    /// <summary>The settings that there are.</summary>
    public IReadOnlyList<AgentSetting> Settings => _settings;

    /// <summary>Gives an agent's object the values; on its thread.</summary>
    public void Apply(Agent agent)
    {
        Struct values = _current.Values;
        foreach (AgentSetting setting in agent.Plan.Settings)
        {
            setting.Take(values.Fields[setting.Name]);
        }
    }

    /// <summary>Changes the values of some settings; a null value is the default's again.</summary>
    /// <param name="changes">By name; all are taken or none.</param>
    /// <param name="expectedRevision">The revision that the change is meant for; 0 for any.</param>
    /// <param name="cancellationToken">Ends the wait for another change.</param>
    /// <exception cref="AgentException">A key is unknown, a value is not valid, or the revision is another.</exception>
    public async Task<AgentConfigurationValues> UpdateAsync(
        Struct changes, long expectedRevision, CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken);
        try
        {
            AgentConfigurationValues before = _current;
            if (expectedRevision != 0 && expectedRevision != before.Revision)
            {
                throw new AgentException(
                    AgentFault.Conflict,
                    $"the configuration of {_host.Name} is at revision {before.Revision}, not {expectedRevision}");
            }

            Struct values = before.Values.Clone();
            string[] faults =
                [.. changes.Fields.Select(change => Take(values, change.Key, change.Value)).OfType<string>()];
            if (faults.Length > 0)
            {
                throw new AgentException(AgentFault.Invalid, string.Join("; ", faults));
            }

            if (values.Equals(before.Values))
            {
                return before;
            }

            var next = new AgentConfigurationValues(values, before.Revision + 1);
            byte[] file = Encoding.UTF8.GetBytes(JsonFormatter.Default.Format(new Struct
            {
                Fields =
                    { [RevisionKey] = Value.ForNumber(next.Revision), [ValuesKey] = Value.ForStruct(Changed(values)) },
            }));
            await _host.Services.Files.RunAsync(() => new DurableFile(_path).Write(file));
            _current = next;
            _logger.ConfigurationChanged(_host.Name, next.Revision, values.ToString());
            await _host.ApplyConfigurationAsync();
            return next;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new AgentException(AgentFault.Unavailable, $"the configuration could not be kept: {e.Message}", e);
        }
        finally
        {
            _one.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _one.Dispose();

    // What is wrong with the change; null when it was taken.
    private string? Take(Struct values, string key, Value value)
    {
        if (_settings.FirstOrDefault(s => s.Name == key) is not { } setting)
        {
            string known = _settings.Count == 0 ? "it has none" : string.Join(", ", _settings.Select(s => s.Name));
            return $"{key} is no setting of {_host.Name}: {known}";
        }

        if (value.KindCase == Value.KindOneofCase.NullValue)
        {
            value = setting.DefaultValue;
        }

        if (setting.Refusal(value) is { } refusal)
        {
            return $"{key} is {value}; {refusal}";
        }

        values.Fields[key] = value.Clone();
        return null;
    }

    // A default that changes with a new version is the new one, unless someone chose a value.
    private Struct Changed(Struct values) => new()
    {
        Fields =
        {
            _settings.Where(s => !values.Fields[s.Name].Equals(s.DefaultValue)).ToDictionary(
                s => s.Name, s => values.Fields[s.Name]),
        },
    };

    private AgentConfigurationValues Load()
    {
        var values = new Struct { Fields = { _settings.ToDictionary(s => s.Name, s => s.DefaultValue.Clone()) } };
        try
        {
            if (!File.Exists(_path))
            {
                return new AgentConfigurationValues(values, 1);
            }

            Struct file = JsonParser.Default.Parse<Struct>(File.ReadAllText(_path));
            foreach ((string key, Value value) in file.Fields[ValuesKey].StructValue.Fields)
            {
                if (Take(values, key, value) is { } refusal)
                {
                    _logger.ConfigurationKeyLeftOut(_host.Name, key, refusal);
                }
            }

            return new AgentConfigurationValues(values, (long)file.Fields[RevisionKey].NumberValue);
        }
        catch (Exception e) when (
            e is IOException or InvalidProtocolBufferException or KeyNotFoundException or NullReferenceException)
        {
            _logger.ConfigurationKeyLeftOut(_host.Name, _path, e.Message);
            return new AgentConfigurationValues(values, 1);
        }
    }
}
