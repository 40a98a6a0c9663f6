using Google.Protobuf.WellKnownTypes;

namespace Ingest.Agents.Hosting;

/// <summary>One agent: its partitions and its configuration.</summary>
internal sealed class AgentHost : IDisposable
{
    private readonly Func<Agent> _make;
    private readonly AgentPartition[] _partitions;
    private readonly IReadOnlyList<string> _tables;

    public AgentHost(Func<Agent> make, AgentServices services)
    {
        _make = make;
        Services = services;
        Agent first = make();
        Name = first.Name;
        Version = first.Version;
        PartitionCount = Math.Max(1, first.Partitions);
        TaskTypes = [.. first.Plan.Tasks.Keys.Order(StringComparer.Ordinal)];
        _tables = [.. first.Plan.Inputs.Select(input => input.Table).Order(StringComparer.Ordinal)];
        Configuration = new AgentConfiguration(this, first.Plan.Settings);
        _partitions = new AgentPartition[PartitionCount];
        for (int i = 0; i < PartitionCount; i++)
        {
            _partitions[i] = new AgentPartition(this, i, i == 0 ? first : make());
        }
    }

    public AgentServices Services { get; }

    public string Name { get; }

    public string Version { get; }

    public int PartitionCount { get; }

    public IReadOnlyList<string> TaskTypes { get; }

    public AgentConfiguration Configuration { get; }

    public AgentStatus Status
    {
        get
        {
            AgentPartition.Fault? fault = _partitions.Select(p => p.LastFault).MaxBy(f => f?.At);
            return new AgentStatus
            {
                Name = Name,
                Version = Version,
                State = _partitions.Select(p => p.State).MaxBy(Severity),
                Tables = _tables,
                TaskTypes = TaskTypes,
                Partitions = PartitionCount,
                ActiveSessions = _partitions.Sum(p => p.ActiveSessions),
                Rows = _partitions.Sum(p => p.Rows),
                ConflatedRows = _partitions.Sum(p => p.Mailbox.ConflatedRows),
                DroppedRows = _partitions.Sum(p => p.Mailbox.DroppedRows),
                Emitted = _partitions.Sum(p => p.Emitted),
                Failures = _partitions.Sum(p => p.Failures),
                QueuedBytes = _partitions.Sum(p => p.Mailbox.Bytes),
                LastFault = fault?.Text ?? "",
                LastFaultAt = fault?.At,
            };
        }
    }

    public void Start()
    {
        foreach (AgentPartition partition in _partitions)
        {
            partition.Start();
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) =>
        Task.WhenAll(_partitions.Select(partition => partition.StopAsync(cancellationToken)));

    /// <inheritdoc/>
    public void Dispose()
    {
        Configuration.Dispose();
        foreach (AgentPartition partition in _partitions)
        {
            partition.Dispose();
        }
    }

    /// <summary>Makes the agent's object anew: the old one could not be started.</summary>
    public Agent Make(AgentPartition partition)
    {
        Agent agent = _make();
        agent.Partition = partition;
        return agent;
    }

    public async Task<AgentAnswer> RequestAsync(AgentRequest request, CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(Services.Options.RequestTimeout);
        try
        {
            Struct content = await PartitionOf(request).AnswerAsync(request, deadline.Token);
            return new AgentAnswer(Name, content);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new AgentException(
                AgentFault.Unavailable, $"the agent {Name} did not answer within {Services.Options.RequestTimeout}");
        }
        catch (Exception e) when (e is not (AgentException or OperationCanceledException))
        {
            throw new AgentException(AgentFault.Failed, $"the agent {Name} failed: {e.Message}", e);
        }
    }

    /// <summary>Has all partitions take up the configuration.</summary>
    public Task ApplyConfigurationAsync() =>
        Task.WhenAll(_partitions.Select(partition => partition.TakeConfigurationAsync()));

    private AgentPartition PartitionOf(AgentRequest request) =>
        _partitions[KeyPartition.Of(_partitions[0].KeyOf(request), PartitionCount)];

    private static int Severity(AgentState state) => state switch
    {
        AgentState.Running => 0,
        AgentState.Lagging => 1,
        AgentState.Starting => 2,
        AgentState.BackingOff => 3,
        _ => 4,
    };
}
