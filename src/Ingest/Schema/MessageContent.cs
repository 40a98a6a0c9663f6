using System.Security.Cryptography;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Ingest.Schema;

/// <summary>What a message's descriptor says, as bytes that can be compared, kept and given to a sender.</summary>
internal static class MessageContent
{
    /// <summary>
    /// SHA-256 of the message's descriptor: as it came; without <c>json_name</c>, as generated code has it; and with the
    /// default ones, as protoc and buf write images.
    /// </summary>
    public static byte[][] Fingerprints(MessageDescriptor message)
    {
        DescriptorProto proto = message.ToProto();
        DescriptorProto with = proto.Clone();
        DescriptorProto without = proto.Clone();
        WriteJsonNames(with);
        ClearJsonNames(without);
        return [.. new[] { proto, without, with }.Select(p => SHA256.HashData(p.ToByteArray()))];
    }

    /// <summary>
    /// SHA-256 of all that the message's table follows from: its descriptor and those of the messages and enums that it
    /// uses. Comments and other messages of its file do not count.
    /// </summary>
    public static byte[] Hash(MessageDescriptor message)
    {
        var used = new SortedDictionary<string, IMessage>(StringComparer.Ordinal);
        Collect(message, used);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach ((string name, IMessage proto) in used)
        {
            hash.AppendData(ByteString.CopyFromUtf8(name + "\n").Span);
            hash.AppendData(proto.ToByteArray());
        }

        return hash.GetHashAndReset();
    }

    /// <summary>A FileDescriptorSet of the message's file and all that it imports, imports first.</summary>
    public static byte[] Image(MessageDescriptor message)
    {
        var files = new List<FileDescriptor>();
        AddWithImports(message.File, files, []);
        var image = new FileDescriptorSet();
        foreach (FileDescriptor file in files)
        {
            image.File.Add(FileDescriptorProto.Parser
                .WithExtensionRegistry(DescriptorImage.Extensions).ParseFrom(file.SerializedData));
            image.File[^1].SourceCodeInfo = null;
        }

        return image.ToByteArray();
    }

    private static void AddWithImports(FileDescriptor file, List<FileDescriptor> files, HashSet<string> seen)
    {
        if (!seen.Add(file.Name))
        {
            return;
        }

        foreach (FileDescriptor import in file.Dependencies)
        {
            AddWithImports(import, files, seen);
        }

        files.Add(file);
    }

    private static void Collect(MessageDescriptor message, SortedDictionary<string, IMessage> used)
    {
        if (!used.TryAdd(message.FullName, message.ToProto()))
        {
            return;
        }

        foreach (FieldDescriptor field in message.Fields.InDeclarationOrder())
        {
            if (field.FieldType is FieldType.Message or FieldType.Group)
            {
                Collect(field.MessageType, used);
            }
            else if (field.FieldType == FieldType.Enum)
            {
                used.TryAdd(field.EnumType.FullName, field.EnumType.ToProto());
            }
        }
    }

    private static void ClearJsonNames(DescriptorProto message)
    {
        foreach (FieldDescriptorProto field in message.Field.Concat(message.Extension))
        {
            field.ClearJsonName();
        }

        foreach (DescriptorProto nested in message.NestedType)
        {
            ClearJsonNames(nested);
        }
    }

    private static void WriteJsonNames(DescriptorProto message)
    {
        foreach (FieldDescriptorProto field in message.Field.Where(f => !f.HasJsonName))
        {
            field.JsonName = JsonNameOf(field.Name);
        }

        foreach (DescriptorProto nested in message.NestedType)
        {
            WriteJsonNames(nested);
        }
    }

    // As protoc does: an underscore goes, and what follows it becomes a capital.
    private static string JsonNameOf(string name)
    {
        var text = new System.Text.StringBuilder(name.Length);
        bool capital = false;
        foreach (char c in name)
        {
            if (c != '_')
            {
                text.Append(capital ? char.ToUpperInvariant(c) : c);
            }

            capital = c == '_';
        }

        return text.ToString();
    }
}
