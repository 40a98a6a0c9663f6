using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Ingest.Server.Grpc;

/// <summary>Finds the files of the services that the server offers, and all they import.</summary>
internal sealed class DescriptorIndex
{
    private readonly Dictionary<string, FileDescriptor> _files = [];
    private readonly Dictionary<string, FileDescriptor> _symbols = [];
    private readonly Dictionary<string, SortedDictionary<int, FileDescriptor>> _extensions = [];

    public DescriptorIndex(IEnumerable<FileDescriptor> files)
    {
        foreach (var file in files)
        {
            AddFile(file);
        }
    }

    /// <summary>The serialised file of a name with all that it imports; null when it is not known.</summary>
    public IEnumerable<ByteString>? FindFile(string name) => WithImports(_files.GetValueOrDefault(name));

    /// <summary>The file that declares a symbol, with all that it imports; null when it is not known.</summary>
    public IEnumerable<ByteString>? FindSymbol(string name) =>
        WithImports(_symbols.GetValueOrDefault(name.TrimStart('.')));

    /// <summary>The file that declares an extension, with all that it imports; null when it is not known.</summary>
    public IEnumerable<ByteString>? FindExtension(string message, int number) => WithImports(
        _extensions.GetValueOrDefault(message)?.GetValueOrDefault(number));

    /// <summary>The numbers of a message's extensions, ascending; null when the message is not known.</summary>
    public IEnumerable<int>? FindExtensionNumbers(string message) =>
        _extensions.TryGetValue(message, out var numbers) ? numbers.Keys
            : _symbols.TryGetValue(message, out var file) && Declares(file, message) ? []
            : null;

    private static bool Declares(FileDescriptor file, string message) =>
        file.MessageTypes.Any(type => IsOrHolds(type, message));

    private static bool IsOrHolds(MessageDescriptor type, string name) =>
        type.FullName == name || type.NestedTypes.Any(nested => IsOrHolds(nested, name));

    private static List<ByteString>? WithImports(FileDescriptor? file)
    {
        if (file is null)
        {
            return null;
        }

        List<ByteString> result = [];
        HashSet<string> seen = [];
        Visit(file);
        return result;

        void Visit(FileDescriptor next)
        {
            if (seen.Add(next.Name))
            {
                result.Add(next.SerializedData);
                foreach (var import in next.Dependencies)
                {
                    Visit(import);
                }
            }
        }
    }

    private void AddFile(FileDescriptor file)
    {
        if (!_files.TryAdd(file.Name, file))
        {
            return;
        }

        foreach (var import in file.Dependencies)
        {
            AddFile(import);
        }

        foreach (var service in file.Services)
        {
            _symbols[service.FullName] = file;
            foreach (var method in service.Methods)
            {
                _symbols[method.FullName] = file;
            }
        }

        foreach (var type in file.MessageTypes)
        {
            AddMessage(type, file);
        }

        AddEnums(file.EnumTypes, file);
        AddExtensions(file.Extensions.UnorderedExtensions, file);
    }

    private void AddMessage(MessageDescriptor type, FileDescriptor file)
    {
        _symbols[type.FullName] = file;
        foreach (var field in type.Fields.InDeclarationOrder())
        {
            _symbols[field.FullName] = file;
        }

        foreach (var oneof in type.Oneofs)
        {
            _symbols[oneof.FullName] = file;
        }

        foreach (var nested in type.NestedTypes)
        {
            AddMessage(nested, file);
        }

        AddEnums(type.EnumTypes, file);
        AddExtensions(type.Extensions.UnorderedExtensions, file);
    }

    private void AddEnums(IEnumerable<EnumDescriptor> enums, FileDescriptor file)
    {
        foreach (var type in enums)
        {
            _symbols[type.FullName] = file;
            foreach (var value in type.Values)
            {
                _symbols[value.FullName] = file;
            }
        }
    }

    private void AddExtensions(IEnumerable<FieldDescriptor> extensions, FileDescriptor file)
    {
        foreach (var extension in extensions)
        {
            _symbols[extension.FullName] = file;
            var extended = extension.ExtendeeType.FullName;
            if (!_extensions.TryGetValue(extended, out var numbers))
            {
                _extensions[extended] = numbers = [];
            }

            numbers[extension.FieldNumber] = file;
        }
    }
}
