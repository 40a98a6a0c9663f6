using System.Diagnostics;
using Ingest.Log;
using Ingest.Stores;
using Ingest.Stores.Embedded;

namespace Ingest.Tests.Stores;

public sealed class EmbeddedRestartTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("ingest-restart-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [SkippableFact]
    public async Task A_token_is_known_after_a_restart()
    {
        SealedSegment segment = Prepare();
        Assert.Equal("10", await RunAsync(segment, "one"));
        Assert.Equal("10", await RunAsync(segment, "one"));
        Assert.Equal("20", await RunAsync(segment, "another"));
    }

    [SkippableFact]
    public async Task A_store_that_is_closed_with_a_segment_prepared_has_nothing_of_it()
    {
        SealedSegment segment = Prepare();
        Assert.Equal("0", await RunAsync(segment, "prepared"));
        Assert.Equal("0", await RunAsync(segment, "prepared"));
        Assert.Equal("10", await RunAsync(segment, "one"));
    }

    [SkippableFact]
    public async Task A_killed_engine_starts_again_with_what_it_had()
    {
        SealedSegment segment = Prepare();
        using (Process first = StoreProcess.Start(Store, segment.Path, "hold"))
        {
            Assert.Equal("10", await first.StandardOutput.ReadLineAsync());
            first.Kill();
            await first.WaitForExitAsync();
        }

        Assert.Equal("10", await RunAsync(segment, "hold"));
    }

    [SkippableFact]
    public async Task A_directory_in_use_is_refused_in_one_sentence()
    {
        SealedSegment segment = Prepare();
        using Process first = StoreProcess.Start(Store, segment.Path, "hold");
        Assert.Equal("10", await first.StandardOutput.ReadLineAsync());
        string refusal = await RunAsync(segment, "one");
        Assert.Contains("in use by another process", refusal, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refusal);
        await first.StandardInput.WriteLineAsync();
        await first.WaitForExitAsync();
        Assert.Equal(0, first.ExitCode);
    }

    private string Store => Path.Combine(_directory, "store");

    private SealedSegment Prepare()
    {
        string? missing = EmbeddedStore.WhyMissing(new StoreOptions());
        Skip.If(missing is not null, missing);
        return SegmentFile.Write(_directory, SegmentFile.Table("restarted"), SegmentFile.Id(1), [10]);
    }

    private async Task<string> RunAsync(SealedSegment segment, string token)
    {
        using Process process = StoreProcess.Start(Store, segment.Path, token);
        process.StandardInput.Close();
        string output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.Equal(0, process.ExitCode);
        return output.Trim();
    }
}
