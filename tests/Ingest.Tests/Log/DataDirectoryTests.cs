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
    public async Task A_process_id_that_cannot_be_written_keeps_nobody_from_starting()
    {
        var file = Path.Combine(_directory.DataPath, "lock.pid");
        Directory.CreateDirectory(file);
        var log = await _directory.OpenAsync();
        Directory.Delete(file);
        var refusal = await Assert.ThrowsAsync<DataDirectoryInUseException>(() => _directory.OpenAsync());
        Assert.Equal($"data directory {_directory.DataPath} is in use by another process", refusal.Message);
        await log.DisposeAsync();
    }

    [Fact]
    public async Task A_lock_that_cannot_be_made_is_not_told_as_another_process()
    {
        // A link to itself cannot be opened by anybody.
        File.CreateSymbolicLink(Path.Combine(_directory.DataPath, "lock"), "lock");
        File.WriteAllText(Path.Combine(_directory.DataPath, "lock.pid"), "1");
        await Assert.ThrowsAsync<IOException>(() => _directory.OpenAsync());
    }

    [Fact]
    public async Task A_full_disk_keeps_no_log_with_known_producers_from_opening()
    {
        var log = await _directory.OpenAsync();
        var lane = log.Lane(LogDirectory.Events);
        var session = new TestSession("known", 1);
        await lane.OpenProducerAsync(session);
        LogDirectory.Append(lane, session, 0, 3);
        await log.SealAsync();
        await log.StopAsync();
        await log.DisposeAsync();

        // What the first start may have to write is written by it; the next has nothing new to say.
        await LogDirectory.StopAsync(await _directory.OpenAsync());
        var full = new RecordingFiles
        {
            Before = call =>
            {
                if (call.Name == "create")
                {
                    throw new IOException("No space left on device");
                }
            },
        };
        log = await _directory.OpenAsync(disk: full);
        Assert.True(log.Sealed.TryRead(out var segment));
        Assert.Equal(3, segment.Rows);
        await log.DisposeAsync();
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
