using System.Text;
using Google.Protobuf.WellKnownTypes;
using Type = System.Type;

namespace Ingest.Agents.Hosting;

/// <summary>What an agent's constructor said of it.</summary>
internal sealed class AgentPlan
{
    private readonly Dictionary<string, AgentInput> _inputs = new(StringComparer.Ordinal);

    public IReadOnlyCollection<AgentInput> Inputs => _inputs.Values;

    public List<AgentSetting> Settings { get; } = [];

    public Dictionary<string, Func<AgentRequest, CancellationToken, ValueTask<Struct>>> Tasks { get; } =
        new(StringComparer.Ordinal);

    public List<(TimeSpan Period, Func<ValueTask> Handler)> Timers { get; } = [];

    public AgentInput? Find(string table) => _inputs.GetValueOrDefault(table);

    /// <summary>The input of a table; a table's rows have one key.</summary>
    public AgentInput Input(string table, string? key)
    {
        if (!_inputs.TryGetValue(table, out AgentInput? input))
        {
            _inputs.Add(table, input = new AgentInput(table, key));
        }

        return input.Key == key
            ? input
            : throw new ArgumentException($"{table} is read with the keys '{input.Key}' and '{key}'; one is possible");
    }

    public AgentSetting<T> Add<T>(AgentSetting<T> setting)
    {
        if (setting.Refusal(setting.DefaultValue) is { } refusal)
        {
            throw new ArgumentException($"the default of {setting.Name} is not valid: {refusal}");
        }

        if (Settings.Any(other => other.Name == setting.Name))
        {
            throw new ArgumentException($"the setting {setting.Name} is declared twice");
        }

        Settings.Add(setting);
        return setting;
    }

    /// <summary>
    /// A type's name in kebab case, without "Agent" at its end: <c>LateOrdersAgent</c> is <c>late-orders</c>.
    /// </summary>
    public static string NameOf(Type type)
    {
        string name = type.Name.EndsWith("Agent", StringComparison.Ordinal) && type.Name.Length > 5
            ? type.Name[..^5]
            : type.Name;
        var text = new StringBuilder();
        for (int i = 0; i < name.Length; i++)
        {
            bool begins = char.IsUpper(name[i]) && i > 0
                && (!char.IsUpper(name[i - 1]) || (i + 1 < name.Length && char.IsLower(name[i + 1])));
            text.Append(begins ? "-" : "").Append(char.ToLowerInvariant(name[i]));
        }

        return text.ToString();
    }
}
