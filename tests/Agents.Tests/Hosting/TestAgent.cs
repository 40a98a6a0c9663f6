using System.Buffers;
using System.Collections.Concurrent;
using Google.Protobuf.WellKnownTypes;
using Ingest.V1;

namespace Ingest.Agents.Tests.Hosting;

/// <summary>An agent that does as a test says.</summary>
internal sealed class TestAgent : Agent
{
    private readonly string _name;
    private readonly int _partitions;
    private readonly AgentSetting<double> _limit;

    public TestAgent(string name = "test", int partitions = 1, Action<TestAgent>? declare = null)
    {
        _name = name;
        _partitions = partitions;
        _limit = Number("limit", 10, "a limit", 1, 100);
        declare?.Invoke(this);
    }

    public override string Name => _name;

    public override int Partitions => _partitions;

    public override long ActiveSessions => Seen;

    public double Limit => _limit.Value;

    /// <summary>Rows seen, in this life and in those of which the state was restored.</summary>
    public long Seen { get; private set; }

    public Func<TestAgent, AgentRows, ValueTask>? Rows { get; init; }

    public Action<TestAgent>? Changed { get; init; }

    public Action? Saving { get; init; }

    public ConcurrentQueue<string> Steps { get; init; } = new();

    public new void Reads(string table, string? key = null, bool conflates = false) =>
        base.Reads(table, key, conflates);

    public new void OnEvent(string eventType, Func<Event, ValueTask> handler) => base.OnEvent(eventType, handler);

    public void OnOrder(Func<Order, ValueTask> handler) => OnMessage("orders", handler);

    public new void OnTask(string type, Func<AgentRequest, CancellationToken, ValueTask<Struct>> handler) =>
        base.OnTask(type, handler);

    public new void Every(TimeSpan period, Func<ValueTask> handler) => base.Every(period, handler);

    public new void SetWanted(string table, bool isWanted) => base.SetWanted(table, isWanted);

    public ValueTask AlertAsync(string key, AgentRows rows, int index) =>
        EmitAsync("alerts", key, new Alert { AlertId = key, Message = "seen" }, rows, index);

    public ValueTask SayAsync(string topic, string key, string text) => EmitAsync(
        topic, key, new Struct { Fields = { ["text"] = Value.ForString(text) } });

    protected internal override ValueTask InitializeAsync(CancellationToken cancellationToken) => Step("initialize");

    protected internal override ValueTask StartAsync(CancellationToken cancellationToken) => Step("start");

    protected internal override ValueTask StopAsync(CancellationToken cancellationToken) => Step("stop");

    protected internal override async ValueTask OnRowsAsync(AgentRows rows)
    {
        if (Rows is not null)
        {
            await Rows(this, rows);
        }

        Seen += rows.Count;
    }

    protected internal override ValueTask OnConfigurationChangedAsync()
    {
        Changed?.Invoke(this);
        return default;
    }

    protected internal override void SaveState(IBufferWriter<byte> state)
    {
        Saving?.Invoke();
        state.Write(BitConverter.GetBytes(Seen));
    }

    protected internal override void RestoreState(ReadOnlySpan<byte> state) => Seen = BitConverter.ToInt64(state);

    private ValueTask Step(string step)
    {
        Steps.Enqueue(step);
        return default;
    }
}
