using Google.Protobuf.WellKnownTypes;

namespace Ingest.Agents;

/// <summary>A setting of an agent that can be changed while it runs.</summary>
public abstract class AgentSetting
{
    private readonly Func<Value, string?> _refusal;

    private protected AgentSetting(string name, string description, Value defaultValue, Func<Value, string?> refusal)
    {
        Name = name;
        Description = description;
        DefaultValue = defaultValue;
        _refusal = refusal;
    }

    /// <summary>Its name, lower case with underscores.</summary>
    public string Name { get; }

    /// <summary>What it is, in a sentence.</summary>
    public string Description { get; }

    /// <summary>What it is unless it is set.</summary>
    public Value DefaultValue { get; }

    /// <summary>What is wrong with a value; null when it is valid.</summary>
    internal string? Refusal(Value value) => _refusal(value);

    /// <summary>Takes a valid value, on the agent's thread.</summary>
    internal abstract void Take(Value value);
}
