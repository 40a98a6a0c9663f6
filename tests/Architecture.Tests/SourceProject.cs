using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Xml.Linq;

namespace Ingest.Architecture.Tests;

/// <summary>A project under <c>src</c>: what its file says and what its built assembly refers to.</summary>
internal sealed class SourceProject(string path)
{
    private readonly XDocument _xml = XDocument.Load(Path.Combine(Repository.Root, path));

    /// <summary>The folder under <c>src</c>, by which architecture.md names it.</summary>
    public string Name { get; } = path.Split('/')[1];

    /// <summary>Path of the project file from the root.</summary>
    public string ProjectPath { get; } = path;

    /// <summary>Name of the assembly without its ending.</summary>
    public string AssemblyName => Property("AssemblyName") ?? Path.GetFileNameWithoutExtension(ProjectPath);

    /// <summary>Namespace of the files at the project's root.</summary>
    public string RootNamespace => Property("RootNamespace") ?? AssemblyName;

    /// <summary>Folders under <c>src</c> of the projects that the file refers to.</summary>
    public IEnumerable<string> ProjectReferences =>
        Items("ProjectReference").Select(target => Path.GetFileName(Path.GetDirectoryName(target.Replace('\\', '/')))!);

    /// <summary>The SDK, framework references and packages that the file asks for.</summary>
    public IEnumerable<string> Frameworks =>
        [(string)_xml.Root!.Attribute("Sdk")!, .. Items("FrameworkReference"), .. Items("PackageReference")];

    /// <summary>Names of the assemblies that the built one refers to.</summary>
    public IReadOnlyList<string> AssemblyReferences()
    {
        string file = Path.Combine(
            Repository.Root, "src", Name, "bin", Repository.Configuration, "net10.0", AssemblyName + ".dll");
        using var image = new PEReader(File.OpenRead(file));
        MetadataReader reader = image.GetMetadataReader();
        return
        [
            .. reader.AssemblyReferences
                .Select(handle => reader.GetString(reader.GetAssemblyReference(handle).Name))
        ];
    }

    private string? Property(string name) => _xml.Descendants(name).FirstOrDefault()?.Value;

    private IEnumerable<string> Items(string name) =>
        _xml.Descendants(name).Select(item => (string)item.Attribute("Include")!);
}
