using Google.Protobuf.Reflection;
using Ingest.Schema;
using Ingest.Tests.Schema;
using Ingest.Tests.Stores;
using Ingest.Topics;
using Ingest.V1;
using Type = Google.Protobuf.Reflection.FieldDescriptorProto.Types.Type;

namespace Ingest.Tests.Topics;

/// <summary>Updates are rows of tables of their own.</summary>
[Collection(EngineCollection.Name)]
public sealed class TopicTableTests(EngineFixture engine)
{
    [Fact]
    public void The_fields_of_a_payload_are_columns_without_a_prefix()
    {
        TableSchema table = BuiltInTables.All.Single(t => t.Name == "eta_predictions");
        Assert.Equal(
            [
                "topic", "key", "epoch", "offset", "emitted_at", "update", "order_id", "driver_id", "pickup_eta",
                "delivery_eta",
                "pickup_eta_minutes", "delivery_eta_minutes", "confidence", "delivery_eta_low", "delivery_eta_high",
                "factors",
                "alternative_routes", "timestamp", "provenance_agent", "provenance_agent_version", "provenance_source",
                "provenance_inputs", "provenance_ingest_to_emit", "provenance_trace_id", "producer_id", "segment_id",
                "received_at",
            ],
            table.Columns.Select(column => column.Name));
    }

    [Fact]
    public void Inline_leaves_the_prefix_out()
    {
        Assert.Contains(
            ShopImage.Schema(Inlined(".shop.Place", isRepeated: false)).Columns, column => column.Name == "city");
        foreach ((string type, bool isRepeated) in new[] { ("", false), (".shop.Place", true) })
        {
            SchemaException fault = Assert.Throws<SchemaException>(() => ShopImage.Schema(Inlined(type, isRepeated)));
            Assert.Contains("field more is no single message", fault.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Producers_cannot_write_them()
    {
        Assert.All(PayloadKind.All, kind => Assert.False(BuiltInTables.IsForProducers(kind.Table)));
        Assert.False(BuiltInTables.IsForProducers("dead_letters"));
        Assert.True(BuiltInTables.IsForProducers("gps_points"));
    }

    [SkippableFact]
    public async Task An_update_is_a_row_with_its_payload_its_place_and_its_bytes()
    {
        await using TopicServer server = await TopicServer.StartAsync(store: engine.Store);
        TopicUpdate update = (await server.PublishAsync(0, 3))[2];
        await server.StoredAsync();
        Assert.Equal(
            $"alerts\tkey-0\t2\talert-2\tfatigue\tCRITICAL\t{Convert.ToHexString(update.Message.Span)}\t{TopicPublisher.Id}\n",
            await engine.Store.TextAsync(
                "SELECT topic, key, offset, alert_id, kind, severity, hex(update), producer_id FROM alerts "
                + $"WHERE epoch = '{update.Epoch}' AND offset = 2"));
    }

    private static FileDescriptorProto Inlined(string type, bool isRepeated)
    {
        FieldDescriptorProto field = ShopImage.Field(
            "more", 9, type.Length > 0 ? Type.Message : Type.String, type);
        field.Label =
            isRepeated ? FieldDescriptorProto.Types.Label.Repeated : FieldDescriptorProto.Types.Label.Optional;
        field.Options = new FieldOptions();
        field.Options.SetExtension(OptionsExtensions.Column, new ColumnOptions { Inline = true });
        return ShopImage.File(ShopImage.Visit(field));
    }
}
