using Google.Protobuf.WellKnownTypes;

namespace Ingest.Agents.Tests.Hosting;

/// <summary>Settings that change while agents run.</summary>
public sealed class ConfigurationTests
{
    [Fact]
    public async Task A_change_reaches_the_agent_and_holds_after_a_restart()
    {
        double told = 0;
        TestAgent Make() => new() { Changed = a => told = a.Limit };
        AgentServer server = await AgentServer.StartAsync([Make]);
        await server.RunningAsync("test");
        AgentConfigurationValues before = server.Agents.ConfigurationOf("test");
        Assert.Equal((10, 1), (before.Values.Fields["limit"].NumberValue, before.Revision));
        AgentConfigurationValues after = await UpdateAsync(server, "limit", Value.ForNumber(42));
        Assert.Equal((42, 2), (after.Values.Fields["limit"].NumberValue, after.Revision));
        Assert.Equal(42, told);
        await server.StopAsync();

        TestAgent? again = null;
        await using AgentServer next = await AgentServer.StartAsync(
            [() => again = Make()], directory: server.Directory);
        await next.RunningAsync("test");
        Assert.Equal((42, 2), (again!.Limit, next.Agents.ConfigurationOf("test").Revision));
        await UpdateAsync(next, "limit", Value.ForNull());
        Assert.Equal((10, 3), (again.Limit, next.Agents.ConfigurationOf("test").Revision));
    }

    [Fact]
    public async Task Unknown_keys_bad_values_and_overtaken_changes_are_refused_whole()
    {
        await using AgentServer server = await AgentServer.StartAsync([() => new TestAgent()]);
        await server.RunningAsync("test");
        AgentException error = await Assert.ThrowsAsync<AgentException>(() => server.Agents.UpdateConfigurationAsync(
            "test", new Struct { Fields = { ["limit"] = Value.ForNumber(50), ["limits"] = Value.ForNumber(1) } }, 0,
            default));
        Assert.Equal(AgentFault.Invalid, error.Fault);
        Assert.Contains("limits is no setting of test: limit", error.Message);
        error = await Assert.ThrowsAsync<AgentException>(() => UpdateAsync(server, "limit", Value.ForNumber(1000)));
        Assert.Contains("1 to 100 is valid", error.Message);
        error = await Assert.ThrowsAsync<AgentException>(() => UpdateAsync(server, "limit", Value.ForString("many")));
        Assert.Contains("a number is expected", error.Message);
        error = await Assert.ThrowsAsync<AgentException>(() => UpdateAsync(server, "limit", Value.ForNumber(50), 7));
        Assert.Equal(AgentFault.Conflict, error.Fault);
        Assert.Equal(
            AgentFault.NotFound, Assert.Throws<AgentException>(() => server.Agents.ConfigurationOf("nobody")).Fault);
        Assert.Equal((10, 1), (server.Agents.ConfigurationOf("test").Values.Fields["limit"].NumberValue,
            server.Agents.ConfigurationOf("test").Revision));
    }

    private static Task<AgentConfigurationValues> UpdateAsync(
        AgentServer server, string key, Value value, long revision = 0) =>
        server.Agents.UpdateConfigurationAsync("test", new Struct { Fields = { [key] = value } }, revision, default);
}
