using System.Numerics;
using System.Text;
using Ingest.Log;

namespace Ingest.Tests.Log;

public sealed class ChecksumTests
{
    [Fact]
    public void The_check_value_of_the_algorithm_comes_out() =>
        Assert.Equal(0xE3069283, Checksum.Of(Encoding.ASCII.GetBytes("123456789")));

    // Around one and two rounds of three stripes of 2,048 bytes, and off any alignment.
    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    [InlineData(6143)]
    [InlineData(6144)]
    [InlineData(6145)]
    [InlineData(12_287)]
    [InlineData(12_288)]
    [InlineData(100_001)]
    public void Stripes_side_by_side_give_what_a_byte_at_a_time_gives(int length)
    {
        byte[] bytes = new byte[length + 3];
        new Random(length).NextBytes(bytes);
        ReadOnlySpan<byte> run = bytes.AsSpan(3);
        uint crc = uint.MaxValue;
        foreach (byte value in run)
        {
            crc = BitOperations.Crc32C(crc, value);
        }

        Assert.Equal(~crc, Checksum.Of(run));

        var inTwo = default(Checksum);
        inTwo.Add(run[..(length / 3)]);
        inTwo.Add(run[(length / 3)..]);
        Assert.Equal(~crc, inTwo.Value);
    }
}
