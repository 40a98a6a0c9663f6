using Ingest.Log;

namespace Ingest.Tests.Log;

public sealed class DataDirectoryTests : IDisposable
{
    private readonly LogDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task A_second_log_on_the_same_directory_is_refused_in_one_sentence()
    {
        var log = await _directory.OpenAsync();
        var refusal = await Assert.ThrowsAsync<DataDirectoryInUseException>(() => _directory.OpenAsync());
        Assert.Equal(
            $"data directory {_directory.DataPath} is in use by process {Environment.ProcessId}", refusal.Message);

        await log.DisposeAsync();
        await LogDirectory.StopAsync(await _directory.OpenAsync());
    }

    [Fact]
    public async Task A_directory_keeps_its_identity_and_another_has_another()
    {
        var first = await TokenAsync(_directory);
        var second = await TokenAsync(_directory);
        using var other = new LogDirectory();

        Assert.Equal(first, second);
        Assert.NotEqual(first, await TokenAsync(other));
    }

    [Fact]
    public async Task Missing_parents_are_created()
    {
        var options = _directory.Options with { DataDirectory = Path.Combine(_directory.DataPath, "a", "b") };
        await LogDirectory.StopAsync(await _directory.OpenAsync(options));
        Assert.True(File.Exists(Path.Combine(options.DataDirectory, "directory.uuid")));
    }

    private static async Task<string> TokenAsync(LogDirectory directory)
    {
        var log = await directory.OpenAsync();
        var sink = new CountingSink();
        LogDirectory.Append(log.Lane(LogDirectory.Events), sink, 0, 1);
        await sink.CommittedAsync(1);
        return (await LogDirectory.StopAsync(log))[^1].Token.Split('/')[0];
    }
}
