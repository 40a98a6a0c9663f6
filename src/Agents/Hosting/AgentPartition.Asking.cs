using Google.Protobuf.WellKnownTypes;

namespace Ingest.Agents.Hosting;

/// <content>What others ask of the agent, between two of its calls.</content>
internal sealed partial class AgentPartition
{
    /// <summary>The key whose partition answers a request.</summary>
    public string KeyOf(AgentRequest request) => _agent.PartitionKeyOf(request);

    /// <summary>Has the agent answer a request.</summary>
    /// <exception cref="AgentException">It refuses, has too much to do, or does not run.</exception>
    public Task<Struct> AnswerAsync(AgentRequest request, CancellationToken cancellationToken) => CallAsync(
        $"task {request.TaskType}", () => _agent.Plan.Tasks[request.TaskType](request, cancellationToken),
        cancellationToken);

    /// <summary>Has the agent take up its configuration; an agent that does not run does so when it starts.</summary>
    public async Task TakeConfigurationAsync()
    {
        if (!TakesCalls || _stopping)
        {
            return;
        }

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
