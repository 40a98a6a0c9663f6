namespace Ingest.Protocol.Tests.Grpc;

public class MessageFrameTests
{
    [Fact]
    public void A_header_is_flags_and_a_big_endian_length()
    {
        var header = new byte[MessageFrame.HeaderBytes];

        MessageFrame.WriteHeader(header, MessageFrame.CompressedFlag, 0x01020304);

        Assert.Equal([1, 1, 2, 3, 4], header);
        Assert.Equal(MessageFrame.CompressedFlag, MessageFrame.ReadHeader(header, out var length));
        Assert.Equal(0x01020304u, length);
    }

    [Fact]
    public void A_length_of_4_GiB_is_read_as_it_is()
    {
        Assert.Equal(0xFE, MessageFrame.ReadHeader([0xFE, 0xFF, 0xFF, 0xFF, 0xFF], out var length));
        Assert.Equal(uint.MaxValue, length);
    }
}
