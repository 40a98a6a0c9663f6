using Google.Protobuf.Reflection;
using Ingest.Schema;
using Ingest.V1;
using Type = Google.Protobuf.Reflection.FieldDescriptorProto.Types.Type;

namespace Ingest.Tests.Schema;

public sealed class SchemaEvolutionTests
{
    [Fact]
    public void What_only_adds_is_taken()
    {
        Assert.Null(Change(_ => { }));
        Assert.Null(Change(file => file.MessageType[0].Field.Add(ShopImage.Field("note", 9, Type.String))));
        Assert.Null(Change(file => file.MessageType[0].Field.Insert(0, ShopImage.Field("note", 9, Type.String))));
        Assert.Null(Change(file => file.MessageType[1].Field.Add(ShopImage.Field("street", 2, Type.String))));
        Assert.Null(Change(file => file.EnumType[0].Value.Add(new EnumValueDescriptorProto { Name = "MOOD_BAD", Number = 2 })));
        Assert.Null(Change(file => file.MessageType.Add(new DescriptorProto { Name = "Other" })));
    }

    [Fact]
    public void A_field_whose_column_keeps_its_name_may_be_renamed() => Assert.Null(Change(file =>
    {
        FieldDescriptorProto field = file.MessageType[0].Field[1];
        field.Name = "visitors";
        field.Options = new FieldOptions();
        field.Options.SetExtension(OptionsExtensions.Column, new ColumnOptions { Name = "people" });
    }));

    public static TheoryData<string, Action<FileDescriptorProto>> Changes => new()
    {
        { "field people = 2 is gone", file => file.MessageType[0].Field.RemoveAt(1) },
        { "field people = 2 was int64, now string", file => file.MessageType[0].Field[1].Type = Type.String },
        { "field people = 2 was int64, now sint64", file => file.MessageType[0].Field[1].Type = Type.Sint64 },
        {
            "field people = 2 was int64, now repeated int64",
            file => file.MessageType[0].Field[1].Label = FieldDescriptorProto.Types.Label.Repeated
        },
        { "field people = 2 is gone", file => file.MessageType[0].Field[1].Number = 7 },
        { "column people is gone", file => file.MessageType[0].Field[1].Name = "visitors" },
        { "field place.city = 1 is gone", file => file.MessageType[1].Field[0].Number = 3 },
        { "value MOOD_GOOD = 1 of shop.Mood is gone", file => file.EnumType[0].Value.RemoveAt(1) },
        { "value MOOD_GOOD = 1 of shop.Mood is now MOOD_FINE", file => file.EnumType[0].Value[1].Name = "MOOD_FINE" },
        { "order_by was (shop), now (shop, people)", file => Table(file).OrderBy.Add("people") },
        { "partition_by was 'toYYYYMM(received_at)', now 'shop'", file => Table(file).PartitionBy = "shop" },
        { "ttl_days was 0, now 3", file => Table(file).TtlDays = 3 },
        { "declared by message shop.Visit, now by shop.Call", file => file.MessageType[0].Name = "Call" },
        {
            "column people was Int64, now Decimal64(2)",
            file => Column(file.MessageType[0].Field[1]).Type = "Decimal64(2)"
        },
        { "column people had the codec '', now 'ZSTD'", file => Column(file.MessageType[0].Field[1]).Codec = "ZSTD" },
        {
            "field note is new and required",
            file =>
            {
                file.MessageType[0].Field.Add(ShopImage.Field("note", 9, Type.String));
                Column(file.MessageType[0].Field[4]).Rules = new ColumnRules { Required = true };
            }
        },
        {
            "field people = 2 was int64, now int64 in oneof count",
            file =>
            {
                file.MessageType[0].OneofDecl.Add(new OneofDescriptorProto { Name = "count" });
                file.MessageType[0].Field[1].OneofIndex = 0;
            }
        },
    };

    [Theory]
    [MemberData(nameof(Changes))]
    public void What_changes_or_removes_something_is_refused_with_the_reason(
        string reason, Action<FileDescriptorProto> change) =>
        Assert.Contains(reason, Change(change), StringComparison.Ordinal);

    private static string? Change(Action<FileDescriptorProto> change)
    {
        FileDescriptorProto file = ShopImage.File();
        change(file);
        return SchemaEvolution.Refusal(ShopImage.Schema(ShopImage.File()), ShopImage.Schema(file));
    }

    private static TableOptions Table(FileDescriptorProto file) =>
        file.MessageType[0].Options.GetExtension(OptionsExtensions.Table);

    private static ColumnOptions Column(FieldDescriptorProto field)
    {
        field.Options = new FieldOptions();
        field.Options.SetExtension(OptionsExtensions.Column, new ColumnOptions());
        return field.Options.GetExtension(OptionsExtensions.Column);
    }
}
