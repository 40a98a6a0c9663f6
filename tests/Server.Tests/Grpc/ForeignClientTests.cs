namespace Ingest.Server.Tests.Grpc;

/// <summary>Clients that are not ours against the transport: each case of theirs is a test here.</summary>
[Collection(ForeignClients.Collection)]
public class ForeignClientTests(ForeignClientFixture fixture)
{
    [SkippableTheory]
    [InlineData("empty_unary")]
    [InlineData("large_unary")]
    [InlineData("client_streaming")]
    [InlineData("server_streaming")]
    [InlineData("ping_pong")]
    [InlineData("empty_stream")]
    [InlineData("cancel_after_begin")]
    [InlineData("cancel_after_first_response")]
    [InlineData("timeout_on_sleeping_server")]
    [InlineData("custom_metadata")]
    [InlineData("status_code_and_message")]
    [InlineData("special_status_message")]
    [InlineData("unimplemented_method")]
    [InlineData("unimplemented_service")]
    [InlineData("gzip_requests_of_every_kind")]
    [InlineData("gzip_responses")]
    [InlineData("errors_with_details")]
    [InlineData("an_exception_is_UNKNOWN_and_tells_nothing")]
    [InlineData("an_early_error_reaches_a_client_that_still_sends")]
    [InlineData("a_message_over_the_limit_is_RESOURCE_EXHAUSTED")]
    [InlineData("a_deadline_ends_a_hanging_call")]
    [InlineData("a_hundred_thousand_messages_are_counted")]
    [InlineData("health_check_list_and_watch")]
    [InlineData("reflection_answers_every_question_in_both_versions")]
    public Task Grpc_js(string name)
    {
        Skip.If(ForeignClient.WhyNoNode is not null, ForeignClient.WhyNoNode);
        return fixture.AssertPassedAsync("grpc-js.mjs", name);
    }

    [SkippableTheory]
    [InlineData("client_compressed_unary")]
    [InlineData("server_compressed_unary")]
    [InlineData("an_early_error_is_followed_by_NO_ERROR")]
    public Task Frames_over_node_http2(string name)
    {
        Skip.If(ForeignClient.WhyNoNode is not null, ForeignClient.WhyNoNode);
        return fixture.AssertPassedAsync("frames.mjs", name);
    }

    [SkippableTheory]
    [InlineData("unary")]
    [InlineData("server_streaming")]
    [InlineData("errors_with_details")]
    [InlineData("unimplemented")]
    [InlineData("deadline")]
    [InlineData("cancel")]
    public Task Connect_web(string name)
    {
        Skip.If(ForeignClient.WhyNoNode is not null, ForeignClient.WhyNoNode);
        return fixture.AssertPassedAsync("connect-web.mjs", name);
    }

    [SkippableTheory]
    [InlineData("unary")]
    [InlineData("client_streaming")]
    [InlineData("server_streaming")]
    [InlineData("duplex_streaming")]
    [InlineData("gzip")]
    [InlineData("deflate_is_unimplemented")]
    [InlineData("errors_with_details")]
    [InlineData("early_error_reaches_a_client_that_still_sends")]
    [InlineData("message_over_the_limit")]
    [InlineData("deadline")]
    [InlineData("cancel")]
    [InlineData("unimplemented")]
    public Task Python_grpcio(string name)
    {
        Skip.If(ForeignClient.WhyNoPython is not null, ForeignClient.WhyNoPython);
        return fixture.AssertPassedAsync("grpcio_client.py", name);
    }

    [SkippableFact]
    public async Task Buf_curl_finds_its_way_by_reflection()
    {
        var buf = Path.Combine(ForeignClient.Root, "script", "tools", "node_modules", ".bin", "buf");
        Skip.IfNot(File.Exists(buf), "script/tools/node_modules is missing: run npm ci in script/tools");
        var server = fixture.GrpcAddress.GetLeftPart(UriPartial.Authority);
        foreach (var version in new[] { "grpc-v1", "grpc-v1alpha" })
        {
            var (exitCode, output, errors) = await ForeignClient.RunAsync(buf, "curl", "--http2-prior-knowledge",
                "--protocol", "grpc", "--reflect-protocol", version, "--data", """{"responseSize": 3}""",
                $"{server}/grpc.testing.TestService/UnaryCall");

            Assert.True(exitCode == 0, errors);
            Assert.Contains("\"body\":", output, StringComparison.Ordinal);
            Assert.Contains("AAAA", output, StringComparison.Ordinal);
        }
    }
}
