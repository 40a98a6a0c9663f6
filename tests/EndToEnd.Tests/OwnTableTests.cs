using System.Text.Json;
using Google.Protobuf;
using Ingest.V1;

namespace Ingest.EndToEnd.Tests;

/// <summary>A table of the user's own: an image built by protoc, rows by Append, queries, and a schema that grows.</summary>
public sealed class OwnTableTests : IDisposable
{
    private const int NotFound = 5;

    private readonly string _directory = Directory.CreateTempSubdirectory("ingest-own-").FullName;

    private string Image => Path.Combine(_directory, "shop.binpb");

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [SkippableFact]
    public async Task An_own_table_takes_rows_grows_by_a_column_and_keeps_all_over_a_restart()
    {
        Engine.Require();
        await Protoc.BuildAsync(Image, Proto("int64 people = 2;"));
        ByteString first = Protoc.Fingerprint(Image, "Visit");
        ServerProcess server = await StartAsync();
        await using AppendCall old = await AppendCall.OpenAsync(server.GrpcAddress, "old", table: "visits", fingerprint: first);
        Assert.Equal(first, old.Opened!.SchemaFingerprint);
        old.Send(Rows(0, Visit("a", 1), Visit("b", 2), Visit("", 3)));
        await old.DurableAsync(3);
        Assert.Equal("shop", Assert.Single(old.Errors).Field);
        await server.ExpectAsync("a\t1\nb\t2", "SELECT shop, people FROM visits ORDER BY people");

        await Protoc.BuildAsync(Image, Proto("int64 people = 2; string note = 3;"));
        ByteString second = Protoc.Fingerprint(Image, "Visit");
        await server.ExpectAsync("1", "SELECT count() FROM system.columns WHERE table = 'visits' AND name = 'note'");
        await using AppendCall young = await OpenWhenAsync(server, "young", second);
        young.Send(Rows(0, Visit("c", 4, "hello")));
        old.Send(Rows(3, Visit("d", 5)));
        await young.DurableAsync(1);
        await old.DurableAsync(4);
        await using AppendCall late = await AppendCall.OpenAsync(server.GrpcAddress, "late", table: "visits", fingerprint: first);
        late.Send(Rows(0, Visit("e", 6)));
        await late.DurableAsync(1);
        const string All = "a\t1\t\nb\t2\t\nc\t4\thello\nd\t5\t\ne\t6\t";
        await server.ExpectAsync(All, "SELECT shop, people, note FROM visits ORDER BY people");
        Assert.Empty(old.Refusals);

        Assert.Equal(0, await server.StopAsync());
        await using ServerProcess again = await StartAsync(server.DataDirectory);
        await again.ExpectAsync(All, "SELECT shop, people, note FROM visits ORDER BY people");
        await using AppendCall back = await AppendCall.OpenAsync(again.GrpcAddress, "old", epoch: 2, table: "visits", fingerprint: first);
        Assert.Equal(4, back.Opened!.DurableOffset);
        back.Send(Rows(4, Visit("f", 7)));
        await back.DurableAsync(5);
        await again.ExpectAsync("7", "SELECT max(people) FROM visits");
    }

    [SkippableFact]
    public async Task Segments_of_the_version_before_that_a_kill_left_in_the_log_are_inserted()
    {
        Engine.Require();
        await Protoc.BuildAsync(Image, Proto("int64 people = 2;"));
        ServerProcess server = await StartAsync(null, "Log:SegmentAge=01:00:00", "Log:MaxSegmentAge=01:00:00");
        await using (AppendCall call = await AppendCall.OpenAsync(
            server.GrpcAddress, "p", table: "visits", fingerprint: Protoc.Fingerprint(Image, "Visit")))
        {
            call.Send(Rows(0, Visit("a", 1), Visit("b", 2)));
            await call.DurableAsync(2);
            await server.KillAsync();
        }

        await Protoc.BuildAsync(Image, Proto("int32 first = 9; int64 people = 2; string note = 3;"));
        await using ServerProcess again = await StartAsync(server.DataDirectory);
        await again.ExpectAsync("0\ta\t1\t\n0\tb\t2\t", "SELECT first, shop, people, note FROM visits ORDER BY people");
    }

    [SkippableFact]
    public async Task A_change_that_does_not_only_add_is_refused_and_shown()
    {
        Engine.Require();
        await Protoc.BuildAsync(Image, Proto("int64 people = 2;"));
        ByteString first = Protoc.Fingerprint(Image, "Visit");
        await using ServerProcess server = await StartAsync();
        await Protoc.BuildAsync(Image, Proto("string people = 2;"));
        await UntilHealthAsync(server, "table visits: field people = 2 was int64, now string");
        Assert.Contains("Schema refused", server.Messages, StringComparison.Ordinal);
        Assert.Matches("(?m)^ingest_schemas_refused(\\{.*\\})? 1$", await server.Http.GetStringAsync("/metrics"));
        await using AppendCall call = await AppendCall.OpenAsync(server.GrpcAddress, "p", table: "visits", fingerprint: first);
        call.Send(Rows(0, Visit("a", 1)));
        await call.DurableAsync(1);
        await server.ExpectAsync("a\t1", "SELECT shop, people FROM visits");

        await using AppendCall unknown = await AppendCall.OpenAsync(
            server.GrpcAddress, "q", table: "visits", fingerprint: Protoc.Fingerprint(Image, "Visit"));
        unknown.Send(Rows(0, Visit("x", 1)));
        await unknown.UntilAsync(c => c.Refusals.Count > 0);
        Assert.Equal(RefusalReason.Schema, unknown.Refusals[0].Reason);
    }

    [SkippableFact]
    public async Task A_table_that_comes_while_the_server_runs_takes_rows_after_a_signal()
    {
        Engine.Require();
        await using ServerProcess server = await StartAsync(null, "SchemaReloadPeriod=0", $"Schemas={_directory}");
        await using (AppendCall early = await AppendCall.OpenAsync(server.GrpcAddress, "p", table: "visits"))
        {
            (int status, string message) = await early.EndAsync();
            Assert.Equal(NotFound, status);
            Assert.Contains("no table 'visits'", message, StringComparison.Ordinal);
        }

        await Protoc.BuildAsync(Image, Proto("int64 people = 2;"));
        await server.SignalAsync("HUP");
        await server.ExpectAsync("1", "SELECT count() FROM system.tables WHERE name = 'visits'");
        await using AppendCall call = await OpenWhenAsync(server, "p", Protoc.Fingerprint(Image, "Visit"));
        call.Send(Rows(0, Visit("a", 1)));
        await call.DurableAsync(1);
        await server.ExpectAsync("a", "SELECT shop FROM visits");
    }

    [SkippableFact]
    public async Task An_image_with_a_message_that_can_be_no_table_ends_the_start_with_the_reason()
    {
        await Protoc.BuildAsync(Image, Proto("string producer_id = 2;"));
        string data = Path.Combine(_directory, "data");
        (int exitCode, string errors) = await ServerProcess.RunToEndAsync(data, $"Schemas={Image}", "Store:Kind=null");
        Assert.Equal(2, exitCode);
        Assert.Equal(
            $"Ingest:Schemas: {Image}: message shop.Visit: field producer_id and the column that every table has both become "
            + "column 'producer_id'; rename one with (ingest.v1.column).name.",
            errors.Trim());
    }

    private static string Proto(string fields) => $$"""
        syntax = "proto3";
        package shop;
        import "ingest/v1/options.proto";
        message Visit {
          option (ingest.v1.table) = { name: "visits" order_by: "shop" };
          string shop = 1 [(ingest.v1.column).rules.required = true];
          {{fields}}
        }
        """;

    private static ByteString Visit(string shop, long people, string note = "")
    {
        using var bytes = new MemoryStream();
        using (var output = new CodedOutputStream(bytes, leaveOpen: true))
        {
            output.WriteRawTag((1 << 3) | 2);
            output.WriteString(shop);
            output.WriteRawTag(2 << 3);
            output.WriteInt64(people);
            if (note.Length > 0)
            {
                output.WriteRawTag((3 << 3) | 2);
                output.WriteString(note);
            }
        }

        return ByteString.CopyFrom(bytes.ToArray());
    }

    private static AppendRequest Rows(long offset, params ByteString[] rows) => new()
    {
        Rows = new AppendRows { Offset = offset, Serialized = new SerializedRows { Rows = { rows } } },
    };

    // The column is in the store a moment before the new version takes rows.
    private static async Task<AppendCall> OpenWhenAsync(ServerProcess server, string producer, ByteString fingerprint)
    {
        for (long epoch = 1; ; epoch++)
        {
            AppendCall call = await AppendCall.OpenAsync(
                server.GrpcAddress, producer, epoch, table: "visits", fingerprint: fingerprint);
            if (call.Opened?.SchemaFingerprint == fingerprint)
            {
                return call;
            }

            await call.DisposeAsync();
            Assert.True(epoch < 1000, "the new version never came into force");
        }
    }

    private static async Task UntilHealthAsync(ServerProcess server, string text)
    {
        string health = "";
        for (int i = 0; i < 600 && !health.Contains(text, StringComparison.Ordinal); i++)
        {
            await Task.Delay(50);
            using JsonDocument body = JsonDocument.Parse(await server.Http.GetStringAsync("/health"));
            health = body.RootElement.TryGetProperty("faults", out JsonElement faults) ? faults.ToString() : "";
        }

        Assert.Contains(text, health, StringComparison.Ordinal);
    }

    private Task<ServerProcess> StartAsync(string? data = null, params string[] settings) => ServerProcess.StartAsync(
        data, [$"Schemas={Image}", "SchemaReloadPeriod=00:00:00.100", .. settings]);
}
