using System.Text.RegularExpressions;

namespace Ingest.Architecture.Tests;

/// <summary>Rules of the house for one file: null when it keeps them, else what is wrong.</summary>
internal static partial class SourceRules
{
    /// <summary>Most lines of a file.</summary>
    public const int MaxLines = 400;

    /// <summary>Every rule by the name under which a test reports it.</summary>
    public static IReadOnlyDictionary<string, Func<SourceFile, string?>> All { get; } =
        new Dictionary<string, Func<SourceFile, string?>>
        {
            [nameof(Length)] = Length,
            [nameof(Names)] = Names,
            [nameof(FileName)] = FileName,
            [nameof(Namespace)] = Namespace,
            [nameof(Console)] = Console,
            [nameof(LogMessages)] = LogMessages,
            [nameof(AspNetCore)] = AspNetCore,
        };

    /// <summary>A file that is too long has something that wants out.</summary>
    public static string? Length(SourceFile file) =>
        file.Lines > MaxLines ? $"{file.FilePath} has {file.Lines} lines, {MaxLines} are allowed" : null;

    /// <summary>Names that say nothing of the domain are no names.</summary>
    public static string? Names(SourceFile file) =>
        file.Folders.Concat(file.Types).FirstOrDefault(name => Vague().IsMatch(name)) is { } name
            ? $"{file.FilePath} is or holds '{name}'"
            : null;

    /// <summary>A type is found by its file's name: <c>Segment.Recovery.cs</c> and <c>StreamOfT.cs</c> included.</summary>
    public static string? FileName(SourceFile file)
    {
        string expected = file.Name.Split('.')[0];
        expected = expected.EndsWith("OfT", StringComparison.Ordinal) ? expected[..^3] : expected;
        return expected is "Program" || file.Types.Contains(expected)
            ? null
            : $"{file.FilePath} declares no {expected}";
    }

    /// <summary>Namespaces follow folders. What server and client share of gRPC is one namespace with its project.</summary>
    public static string? Namespace(SourceFile file)
    {
        if (file.Name is "Program.cs")
        {
            return null;
        }

        string project = file.Folders[1] is "Ingest" ? "Ingest" : $"Ingest.{file.Folders[1]}";
        string expected = string.Join('.', [project, .. file.Folders[2..]]);
        expected = expected is "Ingest.Protocol.Grpc" ? "Ingest.Protocol" : expected;
        return file.Code.Contains($"namespace {expected};", StringComparison.Ordinal)
            ? null
            : $"{file.FilePath} is not in namespace {expected}";
    }

    /// <summary>The terminal belongs to the command line and to the lines that start the server.</summary>
    public static string? Console(SourceFile file) =>
        file.Folders[1] is not "Cli" && file.Name is not "Program.cs" && ConsoleUse().IsMatch(file.Code)
            ? $"{file.FilePath} uses Console"
            : null;

    /// <summary>What is logged is read in one file a project.</summary>
    public static string? LogMessages(SourceFile file) =>
        file.Name is not "LogMessages.cs" && LogUse().IsMatch(file.Code)
            ? $"{file.FilePath} logs outside LogMessages.cs"
            : null;

    /// <summary>Only the host knows ASP.NET.</summary>
    public static string? AspNetCore(SourceFile file) =>
        file.Folders[1] is not "Server" && file.Code.Contains("Microsoft.AspNetCore", StringComparison.Ordinal)
            ? $"{file.FilePath} uses ASP.NET"
            : null;

    [GeneratedRegex("(Util|Utils|Utility|Utilities|Helper|Helpers|Manager|Managers|Common|Misc)$")]
    private static partial Regex Vague();

    [GeneratedRegex(@"(?<![\w.])(System\.)?Console\.")]
    private static partial Regex ConsoleUse();

    [GeneratedRegex(@"\[LoggerMessage|LoggerMessage\.Define|\.Log(Trace|Debug|Information|Warning|Error|Critical)\(")]
    private static partial Regex LogUse();
}
