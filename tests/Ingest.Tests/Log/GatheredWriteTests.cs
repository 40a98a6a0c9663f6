using Ingest.Log;

namespace Ingest.Tests.Log;

/// <summary>Pieces of memory that go to a file together.</summary>
public sealed class GatheredWriteTests : IDisposable
{
    private readonly string _path = Path.Combine(Path.GetTempPath(), $"ingest-gathered-{Guid.NewGuid():N}");

    public void Dispose() => File.Delete(_path);

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(127)]
    [InlineData(128)]
    [InlineData(129)]
    [InlineData(1000)]
    public void Pieces_lie_one_behind_the_other_from_the_offset_on(int count)
    {
        var random = new Random(count);
        List<ReadOnlyMemory<byte>> parts = [];
        for (var i = 0; i < count; i++)
        {
            var part = new byte[i % 7 == 0 ? 0 : random.Next(3000)];
            random.NextBytes(part);
            parts.Add(part.AsMemory(part.Length / 4));
        }

        using (var file = DiskFiles.Instance.Create(_path))
        {
            file.Write([new byte[] { 1, 2, 3, 4, 5 }], 0);
            file.Write(parts, 3);
        }

        byte[] written = File.ReadAllBytes(_path);
        byte[] expected = [1, 2, 3, .. parts.SelectMany(part => part.ToArray())];
        Assert.Equal(expected, written[..expected.Length]);
    }

    [Fact]
    public void Nothing_is_allocated_for_it()
    {
        using var file = DiskFiles.Instance.Create(_path);
        ReadOnlyMemory<byte>[] parts = [.. Enumerable.Range(0, 500).Select(_ => new ReadOnlyMemory<byte>(new byte[100]))];
        file.Write(parts, 0);
        long before = GC.GetAllocatedBytesForCurrentThread();
        file.Write(parts, 0);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [SkippableFact]
    public void A_full_disk_is_an_error_of_the_file_system_that_names_the_file()
    {
        const string full = "/dev/full";
        Skip.IfNot(File.Exists(full), "Linux has a device that is always full");
        using var handle = File.OpenHandle(full, FileMode.Open, FileAccess.Write);
        var error = Assert.ThrowsAny<IOException>(() => GatheredWrite.Write(handle, full, [new byte[10]], 0));
        Assert.Contains(full, error.Message, StringComparison.Ordinal);
        Assert.True(DiskFault.Is(error));
    }
}
