using System.Text.Json.Nodes;
using Google.Protobuf.WellKnownTypes;
using Ingest.Agents;
using Ingest.Server.Realtime;
using Ingest.Server.Tests.Observability;

namespace Ingest.Server.Tests.Realtime;

/// <summary>What clients of a socket ask agents.</summary>
[Collection(ObservedHost.OneAtATime)]
public sealed class AgentRequestTests
{
    [Fact]
    public async Task Agent_answers_under_the_id_of_the_request()
    {
        await using RealtimeServer server = await RealtimeServer.StartAsync(askAgent: AnswerAsync);
        using SocketClient client = await SocketClient.ConnectAsync(server.Socket());
        await client.SendAsync("""
            {"message_type":"agent_request","payload":
              {"id":"q1","query":"When?","task_type":"eta","parameters":{"order_id":"o1","list":[1,true,null]}}}
            """);
        JsonNode answer = (await client.ReadAsync("agent_response"))["payload"]!;
        Assert.Equal("q1", (string?)answer["id"]);
        Assert.Equal("answerer", (string?)answer["agent"]);
        Assert.Equal("eta", (string?)answer["task_type"]);
        Assert.Equal("When?", (string?)answer["content"]!["asked"]);
        Assert.Equal("""{"order_id":"o1","list":[1,true,null]}""", answer["content"]!["parameters"]!.ToJsonString());
    }

    [Theory]
    [InlineData("unknown", "agent")]
    [InlineData("never", "agent_timeout")]
    public async Task Agent_that_does_not_answer_is_an_error_and_the_connection_lives(string taskType, string code)
    {
        await using RealtimeServer server = await RealtimeServer.StartAsync(
            new RealtimeOptions { WebSocket = new WebSocketOptions { AgentTimeout = TimeSpan.FromMilliseconds(200) } },
            askAgent: AnswerAsync);
        using SocketClient client = await SocketClient.ConnectAsync(server.Socket());
        await client.SendAsync(
            $$$"""{"message_type":"agent_request","payload":{"id":"q","task_type":"{{{taskType}}}"}}""");
        JsonNode error = (await client.ReadAsync("error"))["payload"]!;
        Assert.Equal(code, (string?)error["code"]);
        Assert.Equal("q", (string?)error["id"]);
        await client.PingAsync();
    }

    [Fact]
    public async Task Requests_at_a_time_are_limited_and_hold_up_nothing_else()
    {
        await using RealtimeServer server = await RealtimeServer.StartAsync(
            new RealtimeOptions { WebSocket = new WebSocketOptions { MaxAgentRequests = 2 } }, askAgent: AnswerAsync);
        using SocketClient client = await SocketClient.ConnectAsync(server.Socket());
        for (int i = 0; i < 3; i++)
        {
            await client.SendAsync(
                $$$"""{"message_type":"agent_request","payload":{"id":"{{{i}}}","task_type":"never"}}""");
        }

        JsonNode error = (await client.ReadAsync("error"))["payload"]!;
        Assert.Equal("too_many_requests", (string?)error["code"]);
        Assert.Equal("2", (string?)error["id"]);
        await client.PingAsync();
    }

    private static async Task<AgentAnswer> AnswerAsync(AgentRequest request, CancellationToken cancellationToken)
    {
        switch (request.TaskType)
        {
            case "eta":
                return new AgentAnswer("answerer", new Struct
                {
                    Fields =
                    {
                        ["asked"] = Value.ForString(request.Query),
                        ["parameters"] = Value.ForStruct(request.Parameters),
                    },
                });
            case "never":
                await Task.Delay(Timeout.Infinite, cancellationToken);
                throw new InvalidOperationException();
            default:
                throw new AgentException(AgentFault.NotFound, "no agent knows it");
        }
    }
}
