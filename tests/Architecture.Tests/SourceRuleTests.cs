namespace Ingest.Architecture.Tests;

/// <summary>The rules of <see cref="SourceRules"/> hold in <c>src</c>, and each finds what it forbids.</summary>
public class SourceRuleTests
{
    public static TheoryData<string> Rules => [.. SourceRules.All.Keys];

    [Theory]
    [MemberData(nameof(Rules))]
    public void Every_source_file_keeps_the_rule(string rule)
    {
        Assert.NotEmpty(Repository.Sources);
        AssertNone(Repository.Sources.Select(SourceRules.All[rule]));
    }

    [Fact]
    public void Tests_and_benchmarks_are_no_longer_than_sources() =>
        AssertNone(Repository.Read("tests").Concat(Repository.Read("bench")).Select(SourceRules.Length));

    [Theory]
    [InlineData("Names", "src/Ingest/Columns/BatchHelper.cs", "namespace Ingest.Columns; class BatchHelper;")]
    [InlineData("Names", "src/Ingest/Utils/Batch.cs", "namespace Ingest.Utils; class Batch;")]
    [InlineData("Names", "src/Ingest/Columns/Batch.cs", "class Batch { record struct PoolManager; }")]
    [InlineData("FileName", "src/Ingest/Columns/Batch.cs", "class Column; // class Batch")]
    [InlineData("FileName", "src/Ingest/Columns/Batch.Encode.cs", "partial class Encode;")]
    [InlineData("Namespace", "src/Ingest/Columns/Batch.cs", "namespace Ingest.Log; class Batch;")]
    [InlineData("Namespace", "src/Server/Http/Sql.cs", "// namespace Ingest.Server.Http;\nnamespace Ingest.Http;")]
    [InlineData("Console", "src/Ingest/Log/Lane.cs", "class Lane { void M() => Console.WriteLine(1); }")]
    [InlineData("Console", "src/Server/Http/Sql.cs", "System.Console.Error.Write(\"\");")]
    [InlineData("LogMessages", "src/Server/Http/Sql.cs", "[LoggerMessage(1, LogLevel.Debug, \"x\")]")]
    [InlineData("LogMessages", "src/Server/Http/Sql.cs", "_logger.LogWarning(\"x\");")]
    [InlineData("AspNetCore", "src/Ingest/Log/Lane.cs", "using Microsoft.AspNetCore.Http;")]
    public void A_rule_finds_what_it_forbids(string rule, string path, string text) =>
        Assert.NotNull(SourceRules.All[rule](new SourceFile(path, text)));

    [Theory]
    [InlineData("Names", "src/Ingest/Log/Lane.cs", "class Lane; // not a LaneManager")]
    [InlineData("FileName", "src/Server/Grpc/RequestStreamOfT.cs", "sealed class RequestStream<T>;")]
    [InlineData("FileName", "src/Ingest/Decoding/RowCheck.cs", "delegate Fault? RowCheck(ReadOnlySpan<byte> row);")]
    [InlineData("FileName", "src/Ingest/Log/Lane.Commit.cs", "partial class Lane;")]
    [InlineData("Console", "src/Server/Http/Sql.cs", "// Console.WriteLine\nvar x = \"Console.WriteLine\"; AnsiConsole.Write(1);")]
    [InlineData("Console", "src/Cli/Query/Table.cs", "Console.WriteLine();")]
    [InlineData("LogMessages", "src/Ingest/LogMessages.cs", "[LoggerMessage(1, LogLevel.Debug, \"x\")]")]
    [InlineData("AspNetCore", "src/Server/Http/Sql.cs", "using Microsoft.AspNetCore.Http;")]
    public void A_rule_lets_pass_what_it_allows(string rule, string path, string text) =>
        Assert.Null(SourceRules.All[rule](new SourceFile(path, text)));

    [Theory]
    [InlineData(SourceRules.MaxLines, true)]
    [InlineData(SourceRules.MaxLines + 1, false)]
    public void A_file_has_a_longest_length(int lines, bool allowed)
    {
        var file = new SourceFile("src/Ingest/Lane.cs", string.Join('\n', Enumerable.Repeat(";", lines)) + "\n");
        Assert.Equal(lines, file.Lines);
        Assert.Equal(allowed, SourceRules.Length(file) is null);
    }

    private static void AssertNone(IEnumerable<string?> faults)
    {
        string[] found = [.. faults.OfType<string>()];
        Assert.True(found.Length == 0, string.Join('\n', found));
    }
}
