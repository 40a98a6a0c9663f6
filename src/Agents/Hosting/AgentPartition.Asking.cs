using Google.Protobuf.WellKnownTypes;

namespace Ingest.Agents.Hosting;

/// <content>What others ask of the agent, between two of its calls.</content>
internal sealed partial class AgentPartition
{
    /// <summary>The key whose partition answers a request.</summary>
    public string KeyOf(AgentRequest request) => _agent.PartitionKeyOf(request);

    /// <summary>Has the agent answer a request; one that starts does so once it has started.</summary>
    /// <exception cref="AgentException">It refuses, has too much to do, or does not run.</exception>
    public Task<Struct> AnswerAsync(AgentRequest request, CancellationToken cancellationToken)
    {
        if (!TakesCalls || _stopping)
        {
            throw new AgentException(AgentFault.Unavailable, $"the agent {_host.Name} is {State}");
        }

        return CallAsync(
            $"task {request.TaskType}", () => _agent.Plan.Tasks[request.TaskType](request, cancellationToken),
            cancellationToken);
    }

    /// <summary>
    /// Has the agent take up its configuration. Waits until it has, unless it starts or is left alone after a fault:
    /// then it does so next.
    /// </summary>
    public async Task TakeConfigurationAsync()
    {
        if (_state == AgentState.Stopped || _stopping)
        {
            return;
        }

        bool waits = _state == AgentState.Running;
        Task taken = ConfigureAsync();
        if (waits)
        {
            await taken;
        }
    }

    private async Task ConfigureAsync()
    {
        try
        {
            await CallAsync(
                "configuration",
                async () =>
                {
                    _host.Configuration.Apply(_agent);
                    await _agent.OnConfigurationChangedAsync();
                    return true;
                },
                CancellationToken.None);
        }
        catch (Exception)
        {
            // Counted and shown as any call that throws; the values are in force.
        }
    }
}
