using System.Text.Json;
using Ingest.Cli;
using Ingest.Cli.Commands;
using Ingest.Topics;

namespace Ingest.EndToEnd.Tests.Subscriptions;

/// <summary>`ingest subscribe` as a user runs it.</summary>
public sealed class SubscribeCommandTests
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Updates_are_printed_as_JSON_lines_and_a_name_goes_on_behind_the_last_line()
    {
        await using SubscriptionHost host = await SubscriptionHost.StartAsync();
        await host.PublishAsync(0, 50);

        (int exitCode, string first, _) = await RunAsync(
            host, "test.*", "--from", "earliest", "--count", "20", "--name", "printer");
        (_, string second, _) = await RunAsync(host, "test.*", "--count", "30", "--name", "printer");

        Assert.Equal(0, exitCode);
        Assert.Equal(Enumerable.Range(0, 20), Lines(first).Select(NumberOf));
        Assert.Equal(Enumerable.Range(20, 30), Lines(second).Select(NumberOf));
        string token = Lines(first)[9].GetProperty("update").GetProperty("resume_token").GetString()!;
        (_, string third, _) = await RunAsync(host, "test.updates", "--from", token, "--count", "5", "--key", "key-3");
        Assert.Equal([10, 17, 24, 31, 38], Lines(third).Select(NumberOf));
    }

    [Fact]
    public async Task A_filter_is_the_servers_and_on_a_terminal_lines_are_short()
    {
        await using SubscriptionHost host = await SubscriptionHost.StartAsync();
        await host.PublishAsync(0, 50);

        (_, string output, _) = await RunAsync(
            host, terminal: true, "test.updates", "--from", "1h", "--filter", "number>=40", "--filter",
            "number<43", "--count", "3");

        string[] lines = output.Trim().Split('\n');
        Assert.Equal(3, lines.Length);
        Assert.Matches("""^\d\d:\d\d:\d\d\.\d{3} test\.updates key-5 #40 \{ "number": 40 \}$""", lines[0]);
    }

    [Fact]
    public async Task Gaps_are_printed_too()
    {
        await using SubscriptionHost host = await SubscriptionHost.StartAsync(
            topics: new TopicOptions { MaxCount = 10, StoreWait = TimeSpan.Zero });
        await host.PublishAsync(0, 1);
        (_, string first, _) = await RunAsync(host, "test.updates", "--from", "earliest", "--count", "1");
        await host.PublishAsync(1, 200);

        (_, string output, _) = await RunAsync(
            host, "test.updates", "--count", "1", "--from",
            Lines(first)[0].GetProperty("update").GetProperty("resume_token").GetString()!);

        JsonElement[] lines = Lines(output);
        Assert.Equal("1", lines[0].GetProperty("gap").GetProperty("from_offset").GetString());
        Assert.Equal("GAP_REASON_EXPIRED", lines[0].GetProperty("gap").GetProperty("reason").GetString());
        Assert.Equal(
            lines[0].GetProperty("gap").GetProperty("to_offset").GetString(),
            lines[1].GetProperty("update").GetProperty("offset").GetString());
    }

    [Theory]
    [InlineData("--count has to be at least 1.", "a", "--count", "0")]
    [InlineData("--overflow never is not known; there are block, drop-oldest, conflate, disconnect.", "a", "--overflow",
        "never")]
    [InlineData("--filter 'x' is no condition", "a", "--filter", "x")]
    [InlineData("--from is empty.", "a", "--from", "")]
    public async Task What_cannot_be_done_as_asked_is_said_with_exit_code_2(string sentence, params string[] arguments)
    {
        await using SubscriptionHost host = await SubscriptionHost.StartAsync();

        (int exitCode, _, string errors) = await RunAsync(host, arguments);

        Assert.Equal(2, exitCode);
        Assert.StartsWith($"ingest: {sentence}", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_the_server_refuses_is_said_with_exit_code_3()
    {
        await using SubscriptionHost host = await SubscriptionHost.StartAsync();

        (int exitCode, _, string errors) = await RunAsync(host, "a..b");

        Assert.Equal(3, exitCode);
        Assert.StartsWith("ingest: InvalidArgument: 'a..b' is no topic", errors, StringComparison.Ordinal);
    }

    private static Task<(int ExitCode, string Output, string Errors)> RunAsync(
        SubscriptionHost host, params string[] arguments) => RunAsync(host, terminal: false, arguments);

    private static async Task<(int ExitCode, string Output, string Errors)> RunAsync(
        SubscriptionHost host, bool terminal, params string[] arguments)
    {
        using var output = new StringWriter();
        using var errors = new StringWriter();
        int exitCode = await IngestCommand.RunAsync(
            new CommandConsole(output, errors, terminal, terminal),
            ["subscribe", .. arguments, "--server", host.Address])
            .WaitAsync(s_limit);
        return (exitCode, output.ToString(), errors.ToString());
    }

    private static JsonElement[] Lines(string output) =>
        [.. output.Trim().Split('\n').Select(line => JsonDocument.Parse(line).RootElement)];

    private static int NumberOf(JsonElement line) =>
        line.GetProperty("update").GetProperty("custom").GetProperty("number").GetInt32();
}
