using Google.Protobuf;
using Google.Protobuf.Reflection;
using Ingest.V1;

namespace Ingest.Schema;

/// <summary>
/// Reads images of descriptors: the FileDescriptorSet that <c>buf build</c> and
/// <c>protoc --include_imports --descriptor_set_out</c> write.
/// </summary>
internal static class DescriptorImage
{
    /// <summary>Our options, without which they would be unknown fields of an image.</summary>
    public static ExtensionRegistry Extensions { get; } = [OptionsExtensions.Table, OptionsExtensions.Column];

    /// <summary>The messages of an image that say that they are tables, in its order.</summary>
    /// <exception cref="SchemaException">The bytes are no image, or one that lacks its imports.</exception>
    public static IReadOnlyList<MessageDescriptor> ReadTables(ReadOnlySpan<byte> bytes) =>
        [.. Build(Parse(bytes)).SelectMany(file => file.MessageTypes).SelectMany(WithNested).Where(IsTable)];

    private static FileDescriptorSet Parse(ReadOnlySpan<byte> bytes)
    {
        FileDescriptorSet image;
        try
        {
            image = FileDescriptorSet.Parser.WithExtensionRegistry(Extensions).ParseFrom(bytes);
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new SchemaException($"is no FileDescriptorSet: {e.Message}");
        }

        return image.File.Count > 0 ? image : throw new SchemaException("is no FileDescriptorSet: it has no files");
    }

    private static IReadOnlyList<FileDescriptor> Build(FileDescriptorSet image)
    {
        try
        {
            return FileDescriptor.BuildFromByteStrings(
                InOrder(image).Select(file => file.ToByteString()), Extensions);
        }
        catch (Exception e) when (e is DescriptorValidationException or ArgumentException or InvalidOperationException
            or InvalidProtocolBufferException)
        {
            throw new SchemaException($"cannot be understood: {e.Message}");
        }
    }

    // Imports first, whatever order the image has.
    private static List<FileDescriptorProto> InOrder(FileDescriptorSet image)
    {
        var files = new Dictionary<string, FileDescriptorProto>(StringComparer.Ordinal);
        foreach (FileDescriptorProto file in image.File)
        {
            if (!files.TryAdd(file.Name, file))
            {
                throw new SchemaException($"has the file {file.Name} twice");
            }
        }

        var ordered = new List<FileDescriptorProto>();
        var entered = new HashSet<string>(StringComparer.Ordinal);
        foreach (FileDescriptorProto file in image.File)
        {
            Visit(file);
        }

        return ordered;

        void Visit(FileDescriptorProto file)
        {
            if (!entered.Add(file.Name))
            {
                return;
            }

            foreach (string import in file.Dependency)
            {
                Visit(files.GetValueOrDefault(import) ?? throw new SchemaException(
                    $"lacks {import}, which {file.Name} imports; protoc needs --include_imports"));
            }

            ordered.Add(file);
        }
    }

    private static IEnumerable<MessageDescriptor> WithNested(MessageDescriptor message) =>
        message.NestedTypes.SelectMany(WithNested).Prepend(message);

    private static bool IsTable(MessageDescriptor message) =>
        message.GetOptions()?.GetExtension(OptionsExtensions.Table) is not null;
}
