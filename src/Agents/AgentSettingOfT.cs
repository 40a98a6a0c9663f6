using Google.Protobuf.WellKnownTypes;

namespace Ingest.Agents;

/// <summary>A setting of an agent, with its value.</summary>
/// <remarks>The value changes between two calls of the agent, never within one.</remarks>
public sealed class AgentSetting<T> : AgentSetting
{
    private readonly Func<Value, T> _read;

    internal AgentSetting(
        string name, string description, T value, Func<T, Value> write, Func<Value, T> read,
        Func<Value, string?> refusal)
        : base(name, description, write(value), refusal)
    {
        _read = read;
        Value = value;
    }

    /// <summary>What it is now.</summary>
    public T Value { get; private set; }

    internal override void Take(Value value) => Value = _read(value);
}
