using System.Buffers;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Ingest.Agents.Hosting;
using Ingest.V1;
using Microsoft.Extensions.Logging;

namespace Ingest.Agents;

/// <summary>
/// Code that is given durable rows in order and emits updates to topics. To write one, derive from this, say in the
/// constructor what it reads and answers, and emit.
/// </summary>
/// <remarks>
/// <para>
/// The runtime makes one object a partition and calls it from one thread, one call after the other: an agent needs no
/// locks, and may block that thread without anybody else noticing. Ingestion never waits for it.
/// </para>
/// <para>
/// The state of <see cref="SaveState"/> is saved together with the place in the log that it stands for. After a restart
/// the rows after that place are given again, and what was emitted for them before is not emitted twice.
/// </para>
/// </remarks>
public abstract partial class Agent
{
    /// <summary>
    /// The agent's name, by which it is configured and asked: the type's, in kebab case without "Agent".
    /// </summary>
    public virtual string Name => AgentPlan.NameOf(GetType());

    /// <summary>The agent's version, told with every update; by default its assembly's.</summary>
    public virtual string Version => GetType().Assembly.GetName().Version?.ToString(3) ?? "0.0.0";

    /// <summary>
    /// Number of partitions, each with an object, a thread and a share of the keys of its own; default 1.
    /// </summary>
    public virtual int Partitions => 1;

    /// <summary>
    /// Version of what <see cref="SaveState"/> writes; a state of another one is not restored but rebuilt.
    /// </summary>
    public virtual int StateVersion => 1;

    /// <summary>Keys that it follows now, for <c>active_sessions_current</c>. Read from other threads.</summary>
    public virtual long ActiveSessions => 0;

    internal AgentPlan Plan { get; } = new();

    internal AgentPartition? Partition { get; set; }

    /// <summary>The clock. Timers, backoff and saving go by it.</summary>
    protected TimeProvider Time => Host.Time;

    /// <summary>For what people should know; not for every row.</summary>
    protected ILogger Logger => Host.Logger;

    /// <summary>Which partition this object is, from 0.</summary>
    protected int PartitionIndex => Host.Index;

    /// <summary>Whether rows are given again after a restart, so that <c>Time</c> is later than they are.</summary>
    protected bool IsReplaying => Host.IsReplaying;

    private AgentPartition Host =>
        Partition ?? throw new InvalidOperationException("the agent does not run yet: this is not for the constructor");

    /// <summary>Called first, before any state is there.</summary>
    protected internal virtual ValueTask InitializeAsync(CancellationToken cancellationToken) => default;

    /// <summary>
    /// Called once the state is what it was and the rows after it were given again; timers and requests begin after it.
    /// </summary>
    protected internal virtual ValueTask StartAsync(CancellationToken cancellationToken) => default;

    /// <summary>Called last; the state is saved after it.</summary>
    protected internal virtual ValueTask StopAsync(CancellationToken cancellationToken) => default;

    /// <summary>
    /// Takes rows of one of the tables that <see cref="Reads"/> named, in the order of the log. A sender's rows keep
    /// their order; rows of different senders, and batches of one, may change places, so compare times per key.
    /// </summary>
    /// <param name="rows">The rows; valid until the returned task completes.</param>
    protected internal virtual ValueTask OnRowsAsync(AgentRows rows) => default;

    /// <summary>Called after the values of the agent's settings have changed.</summary>
    protected internal virtual ValueTask OnConfigurationChangedAsync() => default;

    /// <summary>
    /// Writes what the agent has to know after a restart. Called between two calls, on the agent's thread.
    /// </summary>
    protected internal virtual void SaveState(IBufferWriter<byte> state)
    {
    }

    /// <summary>Takes up what <see cref="SaveState"/> wrote, in the same version.</summary>
    /// <exception cref="InvalidDataException">It cannot be read; then the state is rebuilt.</exception>
    protected internal virtual void RestoreState(ReadOnlySpan<byte> state)
    {
    }

    /// <summary>
    /// Makes the state from what the store has: at the first start, and when the saved one cannot be used. Rows that
    /// the store did not have yet are given afterwards; some of those that it had may be, too.
    /// </summary>
    protected internal virtual ValueTask RebuildAsync(AgentStore store, CancellationToken cancellationToken) => default;

    /// <summary>
    /// The key whose partition answers a request; by default the parameter <c>key</c>, and none for partition 0.
    /// </summary>
    protected internal virtual string PartitionKeyOf(AgentRequest request) =>
        request.Parameters.Fields.TryGetValue("key", out Value? key) ? key.StringValue : "";

    /// <summary>
    /// Says whether rows of a table matter now; they do at first. Those of a table that does not matter cost nothing
    /// and are passed over for good, also those that come this moment. Not for the constructor, and not before
    /// <see cref="StartAsync"/>.
    /// </summary>
    /// <param name="table">A table that the agent reads.</param>
    /// <param name="isWanted">Whether its rows are given.</param>
    protected void SetWanted(string table, bool isWanted) => Host.SetWanted(table, isWanted);

    /// <summary>
    /// Emits an update for the row that is being handled, or for the last of them. Completes when it is on its way, in
    /// the order of the calls; it is durable before subscribers see it and before the place of the row is saved.
    /// </summary>
    /// <param name="topic">The topic.</param>
    /// <param name="key">What it is about: an order, a driver.</param>
    /// <param name="payload">
    /// The payload. Its <c>provenance</c>, if it has that field, is completed: agent, version, inputs, time since the
    /// row came. It must not be changed afterwards.
    /// </param>
    protected ValueTask EmitAsync(string topic, string key, IMessage payload) => Host.EmitAsync(topic, key, payload);

    /// <summary>
    /// As <see cref="EmitAsync(string, string, IMessage)"/>, for a row of those that are being handled.
    /// </summary>
    /// <param name="topic">The topic.</param>
    /// <param name="key">What it is about.</param>
    /// <param name="payload">The payload.</param>
    /// <param name="rows">The rows.</param>
    /// <param name="index">Which of them, from 0.</param>
    protected ValueTask EmitAsync(string topic, string key, IMessage payload, AgentRows rows, int index)
    {
        Host.SetTrigger(rows.Block, rows[index]);
        return Host.EmitAsync(topic, key, payload);
    }
}
