using System.Text.RegularExpressions;

namespace Ingest.Architecture.Tests;

/// <summary>A C# file.</summary>
/// <param name="FilePath">Path from the root, with slashes.</param>
/// <param name="Text">What it holds.</param>
internal sealed partial record SourceFile(string FilePath, string Text)
{
    /// <summary>The text without comments, strings and characters.</summary>
    public string Code { get; } = NotCode().Replace(Text, " ");

    /// <summary>File name without folders.</summary>
    public string Name => Path.GetFileName(FilePath);

    /// <summary>Folders from the root.</summary>
    public string[] Folders => FilePath.Split('/')[..^1];

    /// <summary>Lines.</summary>
    public int Lines => Text.AsSpan().TrimEnd().Count('\n') + 1;

    /// <summary>Names of the types that it declares, nested ones too.</summary>
    public IEnumerable<string> Types => Declaration().Matches(Code).Select(match => match.Groups["name"].Value);

    [GeneratedRegex(
        """"
        //[^\n]*|/\*.*?\*/|"""+.*?"""+|@"(""|[^"])*"|"(\\.|[^"\\\n])*"|'(\\.|[^'\\\n])+'
        """",
        RegexOptions.Singleline)]
    private static partial Regex NotCode();

    [GeneratedRegex(
        @"\b((class|struct|interface|enum|record(\s+(class|struct))?)\s+|delegate\s[^;(]*\s)(?<name>[A-Z]\w*)")]
    private static partial Regex Declaration();
}
