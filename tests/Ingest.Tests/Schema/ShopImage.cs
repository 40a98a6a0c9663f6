using Google.Protobuf;
using Google.Protobuf.Reflection;
using Ingest.Schema;
using Ingest.V1;
using Type = Google.Protobuf.Reflection.FieldDescriptorProto.Types.Type;

namespace Ingest.Tests.Schema;

/// <summary>Makes images as protoc would of a file shop.proto with a table, to be changed by the test.</summary>
internal static class ShopImage
{
    public const string Table = "visits";

    /// <summary>message Visit { string shop = 1; int64 people = 2; Mood mood = 3; Place place = 4; } and more fields.</summary>
    public static DescriptorProto Visit(params FieldDescriptorProto[] more)
    {
        var message = new DescriptorProto
        {
            Name = "Visit",
            Field =
            {
                Field("shop", 1, Type.String), Field("people", 2, Type.Int64),
                Field("mood", 3, Type.Enum, ".shop.Mood"), Field("place", 4, Type.Message, ".shop.Place"), more,
            },
            Options = new MessageOptions(),
        };
        message.Options.SetExtension(OptionsExtensions.Table, new TableOptions { Name = Table, OrderBy = { "shop" } });
        return message;
    }

    public static DescriptorProto Place(params FieldDescriptorProto[] more) =>
        new() { Name = "Place", Field = { Field("city", 1, Type.String), more } };

    public static EnumDescriptorProto Mood(params string[] more)
    {
        var mood = new EnumDescriptorProto { Name = "Mood" };
        foreach (string name in more.Prepend("MOOD_GOOD").Prepend("MOOD_UNSPECIFIED"))
        {
            mood.Value.Add(new EnumValueDescriptorProto { Name = name, Number = mood.Value.Count });
        }

        return mood;
    }

    public static FieldDescriptorProto Field(string name, int number, Type type, string typeName = "")
    {
        var field = new FieldDescriptorProto
        {
            Name = name, Number = number, Type = type, Label = FieldDescriptorProto.Types.Label.Optional,
        };
        if (typeName.Length > 0)
        {
            field.TypeName = typeName;
        }

        return field;
    }

    /// <summary>The file, with Visit, Place and Mood unless others are given.</summary>
    public static FileDescriptorProto File(
        DescriptorProto? visit = null, DescriptorProto? place = null, EnumDescriptorProto? mood = null) => new()
    {
        Name = "shop.proto",
        Package = "shop",
        Syntax = "proto3",
        Dependency = { "ingest/v1/options.proto" },
        MessageType = { visit ?? Visit(), place ?? Place() },
        EnumType = { mood ?? Mood() },
    };

    /// <summary>The image of a file, with what it imports; with the imports last, to make it hard.</summary>
    public static byte[] Of(FileDescriptorProto file)
    {
        var image = new FileDescriptorSet { File = { file } };
        AddImports(OptionsReflection.Descriptor, image);
        return image.ToByteArray();
    }

    public static TableSchema Schema(FileDescriptorProto file) =>
        TableSchema.FromDescriptor(Assert.Single(DescriptorImage.ReadTables(Of(file))));

    /// <summary>A serialized Visit.</summary>
    public static byte[] Row(string shop, long people, byte[]? more = null)
    {
        using var bytes = new MemoryStream();
        using (var output = new CodedOutputStream(bytes, leaveOpen: true))
        {
            output.WriteTag(1, WireFormat.WireType.LengthDelimited);
            output.WriteString(shop);
            output.WriteTag(2, WireFormat.WireType.Varint);
            output.WriteInt64(people);
        }

        bytes.Write(more ?? []);
        return bytes.ToArray();
    }

    private static void AddImports(FileDescriptor file, FileDescriptorSet image)
    {
        image.File.Add(FileDescriptorProto.Parser.ParseFrom(file.SerializedData));
        foreach (FileDescriptor import in file.Dependencies.Where(i => image.File.All(f => f.Name != i.Name)))
        {
            AddImports(import, image);
        }
    }
}
