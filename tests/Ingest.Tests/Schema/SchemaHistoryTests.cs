using Google.Protobuf.Reflection;
using Ingest.Log;
using Ingest.Schema;
using Microsoft.Extensions.Logging.Abstractions;
using Type = Google.Protobuf.Reflection.FieldDescriptorProto.Types.Type;

namespace Ingest.Tests.Schema;

public sealed class SchemaHistoryTests : IDisposable
{
    private static readonly TableSchema s_first = ShopImage.Schema(ShopImage.File());
    private static readonly TableSchema s_second = ShopImage.Schema(
        ShopImage.File(ShopImage.Visit(ShopImage.Field("note", 5, Type.String))));

    private static readonly TableSchema s_clash = ShopImage.Schema(
        ShopImage.File(ShopImage.Visit(ShopImage.Field("note", 5, Type.Int32))));

    private readonly string _directory = Directory.CreateTempSubdirectory("ingest-schemas-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void A_version_is_remembered_with_those_before_it()
    {
        History().Remember(History().Choose(s_first));
        SchemaChoice second = History().Choose(s_second);
        Assert.Null(second.Refusal);
        Assert.True(second.IsNew);
        History().Remember(second);

        SchemaChoice again = History().Choose(s_second);
        Assert.False(again.IsNew);
        Assert.True(again.Table.HasContentOf(s_second));
        Assert.True(again.Table.Knows(s_first.Fingerprint.Span));
        Assert.Equal(s_first.Columns, again.Table.VersionOf(s_first.BlockFingerprint.Span)!.Columns);
        Assert.Equal(s_second.Columns, again.Table.VersionOf(s_second.BlockFingerprint.Span)!.Columns);
        Assert.Null(again.Table.VersionOf(s_clash.BlockFingerprint.Span));
    }

    [Fact]
    public void What_may_not_follow_is_refused_and_the_newest_stays()
    {
        History().Remember(History().Choose(s_second));
        SchemaChoice choice = History().Choose(s_clash);
        Assert.Contains("note = 5 was string, now int32", choice.Refusal, StringComparison.Ordinal);
        Assert.True(choice.Table.HasContentOf(s_second));
        Assert.False(choice.IsNew);
    }

    [Fact]
    public void An_older_image_is_refused_since_it_lacks_a_column()
    {
        History().Remember(History().Choose(s_second));
        Assert.Contains("field note = 5 is gone", History().Choose(s_first).Refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void A_damaged_version_is_left_out_and_a_cut_write_is_no_version()
    {
        History().Remember(History().Choose(s_first));
        History().Remember(History().Choose(s_second));
        string folder = Path.Combine(_directory, "visits");
        File.WriteAllBytes(Path.Combine(folder, "000001.binpb"), [1, 2, 3]);
        File.WriteAllBytes(Path.Combine(folder, "000003.binpb.tmp"), [1, 2, 3]);
        TableSchema only = Assert.Single(History().Read("visits"));
        Assert.True(only.HasContentOf(s_second));
    }

    [Fact]
    public void A_table_of_the_server_is_in_force_whatever_was_remembered()
    {
        SchemaChoice choice = History().ChooseBuiltIn(BuiltInTables.All[0]);
        Assert.True(choice.IsNew);
        History().Remember(choice);
        Assert.False(History().ChooseBuiltIn(BuiltInTables.All[0]).IsNew);
    }

    private SchemaHistory History() => new(_directory, DiskFiles.Instance, NullLogger.Instance);
}
