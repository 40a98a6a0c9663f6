using Ingest.Server.Grpc;

namespace Ingest.Server.Tests.Grpc;

public sealed class BlockPoolTests
{
    [Fact]
    public void A_block_is_whole_whatever_is_asked_for_and_comes_again()
    {
        using var pool = new BlockPool(blockBytes: 4096, keptBytes: 8192);
        var block = pool.Rent(1);
        Assert.Equal(4096, block.Memory.Length);
        block.Dispose();
        Assert.Same(block, pool.Rent());
    }

    [Fact]
    public void More_than_a_block_is_refused()
    {
        using var pool = new BlockPool(blockBytes: 4096, keptBytes: 8192);
        Assert.Throws<ArgumentOutOfRangeException>(() => pool.Rent(4097));
    }

    [Fact]
    public void No_more_blocks_are_kept_than_it_may()
    {
        using var pool = new BlockPool(blockBytes: 4096, keptBytes: 8192);
        var blocks = Enumerable.Range(0, 10).Select(_ => pool.Rent()).ToArray();
        foreach (var block in blocks)
        {
            block.Dispose();
        }

        Assert.Equal(2, pool.FreeBlocks);
    }
}
