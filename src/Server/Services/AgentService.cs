using Google.Protobuf.WellKnownTypes;
using Ingest.Agents;
using Ingest.Protocol;
using Ingest.Server.Grpc;
using Ingest.V1;

namespace Ingest.Server.Services;

/// <summary>ingest.v1.AgentService: agents' health, settings and tasks.</summary>
internal sealed class AgentService(AgentRuntime agents)
{
    public void Bind(GrpcServiceBinder binder) => binder
        .Unary<ListAgentsRequest, ListAgentsResponse>("ListAgents", ListAsync)
        .Unary<GetAgentConfigRequest, GetAgentConfigResponse>("GetAgentConfig", GetConfigAsync)
        .Unary<UpdateAgentConfigRequest, UpdateAgentConfigResponse>("UpdateAgentConfig", UpdateConfigAsync)
        .Unary<AskAgentRequest, AskAgentResponse>("AskAgent", AskAsync);

    private Task<ListAgentsResponse> ListAsync(ListAgentsRequest request, CallContext call) =>
        Task.FromResult(new ListAgentsResponse { Agents = { agents.Agents.Select(AgentMessages.Of) } });

    private Task<GetAgentConfigResponse> GetConfigAsync(GetAgentConfigRequest request, CallContext call) =>
        RunAsync(() => Task.FromResult(AgentMessages.ConfigOf(agents, request.Agent)));

    private Task<UpdateAgentConfigResponse> UpdateConfigAsync(UpdateAgentConfigRequest request, CallContext call) =>
        RunAsync(async () =>
        {
            AgentConfigurationValues values = await agents.UpdateConfigurationAsync(
                request.Agent, request.Values ?? new Struct(), request.ExpectedRevision, call.CancellationToken);
            return new UpdateAgentConfigResponse { Config = AgentMessages.Of(request.Agent, values) };
        });

    private Task<AskAgentResponse> AskAsync(AskAgentRequest request, CallContext call) => RunAsync(async () =>
    {
        AgentAnswer answer = await agents.RequestAsync(
            new AgentRequest(request.Query, request.TaskType, request.Parameters ?? new Struct()) { Agent = request.Agent },
            call.CancellationToken);
        return new AskAgentResponse { Agent = answer.Agent, Content = answer.Content };
    });

    private static async Task<T> RunAsync<T>(Func<Task<T>> call)
    {
        try
        {
            return await call();
        }
        catch (AgentException e)
        {
            throw new RpcException(StatusOf(e.Fault), e.Message);
        }
    }

    private static StatusCode StatusOf(AgentFault fault) => fault switch
    {
        AgentFault.NotFound => StatusCode.NotFound,
        AgentFault.Invalid => StatusCode.InvalidArgument,
        AgentFault.Conflict => StatusCode.FailedPrecondition,
        AgentFault.Unavailable => StatusCode.Unavailable,
        _ => StatusCode.Internal,
    };
}
