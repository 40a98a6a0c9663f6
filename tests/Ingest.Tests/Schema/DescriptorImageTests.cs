using Google.Protobuf;
using Google.Protobuf.Reflection;
using Ingest.Schema;
using Ingest.V1;

namespace Ingest.Tests.Schema;

public sealed class DescriptorImageTests
{
    [Fact]
    public void Messages_with_the_option_are_found_with_their_options_whatever_the_order_of_files()
    {
        TableSchema table = ShopImage.Schema(ShopImage.File());
        Assert.Equal("visits", table.Name);
        Assert.Equal(["shop"], table.OrderBy);
        Assert.Equal(
            ["shop String", "people Int64", "mood LowCardinality(String)", "place_city String"],
            table.Columns.Take(4).Select(c => $"{c.Name} {c.Type}"));
    }

    [Fact]
    public void A_nested_message_can_be_a_table()
    {
        FileDescriptorProto file = ShopImage.File(new DescriptorProto { Name = "Outer", NestedType = { ShopImage.Visit() } });
        Assert.Equal("shop.Outer.Visit", ShopImage.Schema(file).Message.FullName);
    }

    [Fact]
    public void Column_options_and_rules_of_an_image_count()
    {
        DescriptorProto visit = ShopImage.Visit();
        visit.Field[0].Options = new FieldOptions();
        visit.Field[0].Options.SetExtension(
            OptionsExtensions.Column, new ColumnOptions { Name = "store", LowCardinality = true, Rules = new ColumnRules { Required = true } });
        visit.Options.GetExtension(OptionsExtensions.Table).OrderBy[0] = "store";
        TableSchema table = ShopImage.Schema(ShopImage.File(visit));
        Assert.Equal(("store", "LowCardinality(String)"), (table.Columns[0].Name, table.Columns[0].Type));
        Assert.True(table.Fields[0].Rules!.Required);
    }

    [Theory]
    [InlineData(new byte[] { 1, 2, 3 }, "is no FileDescriptorSet")]
    [InlineData(new byte[0], "it has no files")]
    public void Bytes_that_are_no_image_are_refused(byte[] bytes, string reason) => AssertRefused(bytes, reason);

    [Fact]
    public void An_image_without_its_imports_says_which_one_it_lacks() => AssertRefused(
        new FileDescriptorSet { File = { ShopImage.File() } }.ToByteArray(),
        "lacks ingest/v1/options.proto, which shop.proto imports; protoc needs --include_imports");

    [Fact]
    public void An_image_that_names_a_type_that_is_not_there_is_refused()
    {
        FileDescriptorProto file = ShopImage.File();
        file.MessageType[0].Field[3].TypeName = ".shop.Nowhere";
        AssertRefused(ShopImage.Of(file), "Nowhere");
    }

    [Fact]
    public void The_fingerprint_is_that_of_the_descriptor_with_or_without_json_names()
    {
        DescriptorProto without = ShopImage.Visit();
        TableSchema table = ShopImage.Schema(ShopImage.File(without));
        DescriptorProto with = without.Clone();
        foreach (FieldDescriptorProto field in with.Field)
        {
            field.JsonName = field.Name;
        }

        Assert.Equal(Sha256(without), table.Fingerprint.ToArray());
        Assert.True(table.Knows(Sha256(without)));
        Assert.True(table.Knows(Sha256(with)));
        Assert.True(ShopImage.Schema(ShopImage.File(with)).Knows(Sha256(without)));
        Assert.False(table.Knows(Sha256(ShopImage.Place())));
        Assert.False(table.Knows([]));
    }

    // protoc 3.21.12 built the image, Python's protobuf 4.21.12 the hashes.
    [Theory]
    [InlineData("69B1B5E945C3FC159A635CE21F2D6C476EF202EE9F2D04C573E4DA4A967918B4")] // of the image
    [InlineData("93EAD65DF45B04CD62301A2EAD32D65A65A09C9DC5A21A7A4CE90F3266AC2C68")] // of the generated code
    public void Fingerprints_are_those_that_a_sender_in_another_language_finds(string fingerprint)
    {
        var visit = new DescriptorProto
        {
            Name = "Visit",
            Field =
            {
                ShopImage.Field("shop", 1, FieldDescriptorProto.Types.Type.String),
                ShopImage.Field("people_here", 2, FieldDescriptorProto.Types.Type.Int64),
            },
            Options = ShopImage.Visit().Options,
        };
        visit.Field[0].Options = new FieldOptions();
        visit.Field[0].Options.SetExtension(
            OptionsExtensions.Column, new ColumnOptions { Rules = new ColumnRules { Required = true } });
        Assert.True(ShopImage.Schema(ShopImage.File(visit)).Knows(Convert.FromHexString(fingerprint)));
    }

    private static byte[] Sha256(IMessage message) => System.Security.Cryptography.SHA256.HashData(message.ToByteArray());

    private static void AssertRefused(byte[] bytes, string reason)
    {
        SchemaException fault = Assert.Throws<SchemaException>(() => DescriptorImage.ReadTables(bytes));
        Assert.Contains(reason, fault.Message, StringComparison.Ordinal);
    }
}
