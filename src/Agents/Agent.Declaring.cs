using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Ingest.Agents.Hosting;
using Ingest.V1;

namespace Ingest.Agents;

/// <content>What a constructor says of its agent.</content>
public abstract partial class Agent
{
    /// <summary>Has rows of a table given to <see cref="OnRowsAsync"/>.</summary>
    /// <param name="table">Name of the table.</param>
    /// <param name="key">
    /// Column of texts by which rows belong to a partition; when it is null, every row goes to partition 0.
    /// </param>
    /// <param name="conflates">
    /// Whether the latest row of a key is enough when the agent is far behind: true for positions, false for orders.
    /// </param>
    protected void Reads(string table, string? key = null, bool conflates = false)
    {
        if (conflates && key is null)
        {
            throw new ArgumentException($"{table}: without a key no row is later than another", nameof(conflates));
        }

        AgentInput input = Plan.Input(table, key);
        input.TakesRows = true;
        input.Conflates = conflates;
    }

    /// <summary>
    /// Has every row of a table given to a handler, as its message. Not for points: it makes an object a row.
    /// </summary>
    /// <param name="table">Name of the table.</param>
    /// <param name="handler">What handles it.</param>
    /// <param name="key">Column of texts by which rows belong to a partition.</param>
    protected void OnMessage<T>(string table, Func<T, ValueTask> handler, string? key = null)
        where T : class, IMessage<T>, new() =>
        Plan.Input(table, key).Handlers.Add((block, row) => handler(block.Message<T>(row)));

    /// <summary>Has every event of a type given to a handler.</summary>
    /// <param name="eventType">The <c>event_type</c>.</param>
    /// <param name="handler">What handles it.</param>
    protected void OnEvent(string eventType, Func<Event, ValueTask> handler) =>
        Plan.Input("events", Plan.Find("events")?.Key ?? "entity_id").EventHandlers.Add(eventType, handler);

    /// <summary>Answers requests of a task type.</summary>
    /// <param name="taskType">The task type.</param>
    /// <param name="handler">
    /// What answers; an <see cref="AgentException"/> is told to who asked, any other exception as a failure.
    /// </param>
    protected void OnTask(string taskType, Func<AgentRequest, CancellationToken, ValueTask<Struct>> handler) =>
        Plan.Tasks.Add(taskType, handler);

    /// <summary>Calls a handler again and again, a period after it was done. Not while rows are given again.</summary>
    /// <param name="period">The period.</param>
    /// <param name="handler">What is called.</param>
    protected void Every(TimeSpan period, Func<ValueTask> handler) => Plan.Timers.Add((period, handler));

    /// <summary>Declares a setting that is a number, and can be changed while the agent runs.</summary>
    protected AgentSetting<double> Number(
        string name, double value, string description, double min = double.MinValue, double max = double.MaxValue)
    {
        string? Refusal(Value v) => v.KindCase != Value.KindOneofCase.NumberValue ? "a number is expected"
            : v.NumberValue >= min && v.NumberValue <= max ? null
            : FormattableString.Invariant($"{min:#,0.###} to {max:#,0.###} is valid");
        return Plan.Add(
            new AgentSetting<double>(name, description, value, Value.ForNumber, v => v.NumberValue, Refusal));
    }

    /// <summary>Declares a setting that is true or false, and can be changed while the agent runs.</summary>
    protected AgentSetting<bool> Flag(string name, bool value, string description) =>
        Plan.Add(new AgentSetting<bool>(
            name, description, value, Value.ForBool, v => v.BoolValue,
            v => v.KindCase == Value.KindOneofCase.BoolValue ? null : "true or false is expected"));

    /// <summary>Declares a setting that is a text, and can be changed while the agent runs.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="value">Its default.</param>
    /// <param name="description">What it is, in a sentence.</param>
    /// <param name="refusal">Says what is wrong with a text, or null.</param>
    protected AgentSetting<string> Text(
        string name, string value, string description, Func<string, string?>? refusal = null) =>
        Plan.Add(new AgentSetting<string>(
            name, description, value, Value.ForString, v => v.StringValue,
            v => v.KindCase == Value.KindOneofCase.StringValue
                ? refusal?.Invoke(v.StringValue)
                : "a text is expected"));
}
