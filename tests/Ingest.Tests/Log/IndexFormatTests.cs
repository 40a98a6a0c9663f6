using System.Buffers;
using Ingest.Columns;
using Ingest.Log;

namespace Ingest.Tests.Log;

/// <summary>The bytes that docs/log-format.md shows.</summary>
public sealed class IndexFormatTests
{
    private static readonly Guid s_directory = new("00112233-4455-6677-8899-aabbccddeeff");

    [Fact]
    public void Checksum_is_crc32c()
    {
        Assert.Equal(0xE3069283, Checksum.Of("123456789"u8)); // RFC 3720 and every catalogue of checksums.
        Assert.Equal(0x8A9136AAu, Checksum.Of(new byte[32])); // RFC 3720 B.4.
        var parts = default(Checksum);
        parts.Add("1234"u8);
        parts.Add(""u8);
        parts.Add("56789"u8);
        Assert.Equal(0xE3069283, parts.Value);
    }

    [Fact]
    public void Header_has_the_documented_bytes()
    {
        var header = new IndexHeader(s_directory, 0x0123456789ABCDEF, "events", new byte[] { 0xF0, 0xF1 });
        var bytes = header.ToArray();

        Assert.Equal(
            "494E47494E444558" + "0100" + "3300" + "00112233445566778899AABBCCDDEEFF" + "EFCDAB8967452301"
            + "02F0F1" + "06006576656E7473" + "3653CE62",
            Convert.ToHexString(bytes));
        Assert.True(IndexHeader.TryRead(bytes, out var read, out var length));
        Assert.Equal(bytes.Length, length);
        Assert.Equal((header.Directory, header.SegmentId, header.Table), (read!.Directory, read.SegmentId, read.Table));
        Assert.Equal(header.Fingerprint.ToArray(), read.Fingerprint.ToArray());
    }

    [Fact]
    public void Record_has_the_documented_bytes()
    {
        var index = new ArrayBufferWriter<byte>();
        var sink = new CountingSink();
        BatchEntry[] entries = [new(sink, "van-7", 3, 1000, 5, 0, 4), new(sink, "", 0, 0, 6, 4, 6)];
        IndexRecord.Write(index, 0x0123456789ABCDEF, 256, 512, 10, 0xDEADBEEF, entries, beginsGroup: true);

        Assert.Equal(
            "424C4B01" + "47000000" + "0001000000000000" + "00020000" + "0A000000" + "EFBEADDE" + "01000080"
            + "0500" + "76616E2D37" + "0300000000000000" + "E803000000000000" + "05000000" + "00000000" + "04000000"
            + "F14A9FEC",
            Convert.ToHexString(index.WrittenSpan));
        Assert.True(IndexRecord.TryRead(index.WrittenSpan, 0x0123456789ABCDEF, out var record, out var size));
        Assert.Equal(index.WrittenCount, size);
        Assert.Equal((256, 512, 10, 0xDEADBEEF), (record!.Offset, record.Length, record.Rows, record.Crc));
        Assert.Equal([new ProducerEntry("van-7", 3, 1000, 5, 0, 4)], record.Entries);
        Assert.True(record.BeginsGroup);
        Assert.False(IndexRecord.TryRead(index.WrittenSpan, 1, out _, out _));
    }
}
