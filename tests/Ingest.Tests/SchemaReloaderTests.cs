using Google.Protobuf.Reflection;
using Ingest.Log;
using Ingest.Schema;
using Ingest.Stores;
using Ingest.Tests.Log;
using Ingest.Tests.Schema;
using Ingest.V1;
using Microsoft.Extensions.Logging.Abstractions;
using Type = Google.Protobuf.Reflection.FieldDescriptorProto.Types.Type;

namespace Ingest.Tests;

/// <summary>Tables of images in a pipeline: at the start, when a file changes, and over restarts.</summary>
public sealed class SchemaReloaderTests : IDisposable
{
    private static readonly FieldDescriptorProto s_note = ShopImage.Field("note", 5, Type.String);

    private readonly string _directory = Directory.CreateTempSubdirectory("ingest-reload-").FullName;
    private readonly ManualTime _time = new();
    private int _writes;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private string Image => Path.Combine(_directory, "shop.binpb");

    [Fact]
    public async Task A_table_of_an_image_takes_rows_like_any_other()
    {
        Write(ShopImage.File());
        await using IngestPipeline pipeline = await OpenAsync();
        Assert.Equal(
            ["events", "gps_points", "metric_samples", "orders", "visits"], pipeline.ProducerTables);
        Assert.Equal("visits", Assert.Single(pipeline.Schemas.Status.Tables).Key);
        Assert.NotNull(pipeline.OpenProducer("visits", "p", 1, "sender", () => { }));
        Assert.Null(pipeline.OpenProducer("dead_letters", "p", 1, "sender", () => { }));
        Assert.Null(pipeline.OpenProducer("nothing", "p", 1, "sender", () => { }));
    }

    [Fact]
    public async Task A_changed_file_is_read_when_the_period_is_over()
    {
        Write(ShopImage.File());
        await using IngestPipeline pipeline = await OpenAsync();
        ProducerStream stream = pipeline.OpenProducer("visits", "p", 1, "sender", () => { })!;
        TableSchema first = stream.Table.Schema;
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(1, pipeline.Schemas.Status.Reloads);

        Write(ShopImage.File(ShopImage.Visit(s_note)));
        await UntilReloadedAsync(pipeline, 2);
        Assert.Empty(pipeline.Schemas.Status.Refused);
        Assert.Contains(stream.Table.Schema.Columns, column => column.Name == "note");
        Assert.True(stream.Table.Schema.Knows(first.Fingerprint.Span));
        Assert.NotEqual(first.Fingerprint.ToArray(), stream.Table.Schema.Fingerprint.ToArray());
    }

    [Fact]
    public async Task A_new_file_in_a_directory_brings_its_table()
    {
        Write(ShopImage.File());
        await using IngestPipeline pipeline = await OpenAsync(_directory);
        FileDescriptorProto other = ShopImage.File();
        other.MessageType[0].Name = "Call";
        other.MessageType[0].Options.GetExtension(OptionsExtensions.Table).Name = "calls";
        File.WriteAllBytes(Path.Combine(_directory, "calls.pb"), ShopImage.Of(other));
        File.WriteAllText(Path.Combine(_directory, "README.md"), "no image");
        SchemaStatus status = await pipeline.Schemas.ReloadAsync();
        Assert.Empty(status.Refused);
        Assert.Equal(["calls", "visits"], status.Tables.Keys.Order());
    }

    [Fact]
    public async Task What_changes_something_is_refused_and_stays_refused_over_a_restart()
    {
        Write(ShopImage.File());
        IngestPipeline pipeline = await OpenAsync();
        FileDescriptorProto changed = ShopImage.File();
        changed.MessageType[0].Field[1].Type = Type.String;
        Write(changed);
        string reason = Assert.Single((await pipeline.Schemas.ReloadAsync()).Refused);
        Assert.Equal($"{Image}: table visits: field people = 2 was int64, now string", reason);
        AssertPeople(pipeline, "Int64");
        await pipeline.DisposeAsync();

        pipeline = await OpenAsync();
        Assert.Equal(reason, Assert.Single(pipeline.Schemas.Status.Refused));
        AssertPeople(pipeline, "Int64");
        Write(ShopImage.File());
        Assert.Empty((await pipeline.Schemas.ReloadAsync()).Refused);
        await pipeline.DisposeAsync();
    }

    [Fact]
    public async Task A_file_that_is_damaged_or_gone_leaves_its_tables_in_force()
    {
        Write(ShopImage.File());
        await using IngestPipeline pipeline = await OpenAsync();
        File.WriteAllBytes(Image, [1, 2, 3]);
        Assert.Contains("is no FileDescriptorSet", Assert.Single((await pipeline.Schemas.ReloadAsync()).Refused), StringComparison.Ordinal);
        File.Delete(Image);
        Assert.Contains("cannot be read", Assert.Single((await pipeline.Schemas.ReloadAsync()).Refused), StringComparison.Ordinal);
        Assert.Contains("visits", pipeline.ProducerTables);
    }

    [Fact]
    public async Task A_table_that_is_left_out_takes_rows_until_a_restart()
    {
        Write(ShopImage.File());
        IngestPipeline pipeline = await OpenAsync(_directory);
        File.Delete(Image);
        Assert.Contains("table visits: is in none of the images", Assert.Single((await pipeline.Schemas.ReloadAsync()).Refused), StringComparison.Ordinal);
        Assert.Contains("visits", pipeline.ProducerTables);
        await pipeline.DisposeAsync();

        pipeline = await OpenAsync(_directory);
        Assert.DoesNotContain("visits", pipeline.ProducerTables);
        Assert.Empty(pipeline.Schemas.Status.Refused);
        await pipeline.DisposeAsync();
    }

    [Fact]
    public async Task Images_that_cannot_be_used_end_the_start_with_every_fault_named()
    {
        FileDescriptorProto own = ShopImage.File();
        own.MessageType[0].Options.GetExtension(OptionsExtensions.Table).Name = "events";
        Write(own);
        string other = Path.Combine(_directory, "bad.binpb");
        FileDescriptorProto bad = ShopImage.File();
        bad.MessageType[0].Options.GetExtension(OptionsExtensions.Table).OrderBy.Add("nothing");
        File.WriteAllBytes(other, ShopImage.Of(bad));
        string missing = Path.Combine(_directory, "missing.binpb");

        SchemaException fault = await Assert.ThrowsAsync<SchemaException>(() => OpenAsync(Image, other, missing));
        Assert.Contains($"Ingest:Schemas: {Image}: message shop.Visit: table events is one of the server's own", fault.Message, StringComparison.Ordinal);
        Assert.Contains($"{other}: message shop.Visit: order_by names 'nothing'", fault.Message, StringComparison.Ordinal);
        Assert.Contains($"{missing}: cannot be read", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_images_may_have_the_same_table_but_not_two_tables_of_one_name()
    {
        Write(ShopImage.File());
        string other = Path.Combine(_directory, "other.binpb");
        File.WriteAllBytes(other, ShopImage.Of(ShopImage.File()));
        await using (await OpenAsync(Image, other))
        {
        }

        File.WriteAllBytes(other, ShopImage.Of(ShopImage.File(ShopImage.Visit(s_note))));
        SchemaException fault = await Assert.ThrowsAsync<SchemaException>(() => OpenAsync(Image, other));
        Assert.Contains($"table visits is in {Image} too", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_tables_of_the_server_in_an_image_are_passed_over()
    {
        FileDescriptorProto file = ShopImage.File();
        file.Dependency.Add("ingest/v1/gps_point.proto");
        var image = FileDescriptorSet.Parser.ParseFrom(ShopImage.Of(file));
        image.File.Add(FileDescriptorProto.Parser.ParseFrom(GpsPointReflection.Descriptor.SerializedData));
        image.File.Add(FileDescriptorProto.Parser.ParseFrom(LocationReflection.Descriptor.SerializedData));
        File.WriteAllBytes(Image, Google.Protobuf.MessageExtensions.ToByteArray(image));
        await using IngestPipeline pipeline = await OpenAsync();
        Assert.Equal("visits", Assert.Single(pipeline.Schemas.Status.Tables).Key);
    }

    private static void AssertPeople(IngestPipeline pipeline, string type) => Assert.Equal(
        type,
        pipeline.OpenProducer("visits", "p", 1, "sender", () => { })!.Table.Schema.Columns.Single(c => c.Name == "people").Type);

    // Of the same length and within one tick of the clock two images would look alike, so each gets a time of its own.
    private void Write(FileDescriptorProto file)
    {
        File.WriteAllBytes(Image, ShopImage.Of(file));
        _writes++;
        File.SetLastWriteTimeUtc(Image, DateTime.UnixEpoch.AddDays(_writes));
    }

    private async Task UntilReloadedAsync(IngestPipeline pipeline, long reloads)
    {
        await Eventually.BeAsync(() =>
        {
            _time.Advance(TimeSpan.FromSeconds(5));
            return pipeline.Schemas.Status.Reloads >= reloads;
        });
    }

    private Task<IngestPipeline> OpenAsync(params string[] schemas) => IngestPipeline.OpenAsync(
        new PipelineOptions
        {
            Log = new LogOptions { DataDirectory = Path.Combine(_directory, "data") },
            Store = new StoreOptions { Kind = StoreOptions.NullKind },
            Schemas = schemas.Length == 0 ? [Image] : schemas,
        },
        NullLoggerFactory.Instance, _time, default);
}
