namespace Ingest.Protocol.Tests.Grpc;

public class MetadataTests
{
    [Fact]
    public void Keys_are_lowered_and_order_and_repeats_are_kept()
    {
        Metadata metadata = [];
        metadata.Add("X-B", "1");
        metadata.Add("a", "2");
        metadata.Add("x-b", "3");

        Assert.Equal(["x-b: 1", "a: 2", "x-b: 3"], metadata.Select(entry => entry.ToString()));
        Assert.Equal("3", metadata.GetValue("X-B"));
        Assert.Equal(["1", "3"], metadata.GetAll("x-b").Select(entry => entry.Value));
        Assert.Null(metadata.GetValue("c"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("a b")]
    [InlineData("a:b")]
    [InlineData("ключ")]
    [InlineData("a\n")]
    public void A_key_that_headers_cannot_carry_is_refused(string key)
    {
        Assert.Throws<ArgumentException>(() => new Metadata().Add(key, "v"));
        Assert.False(new Metadata().TryAddEncoded(key, "v"));
    }

    [Theory]
    [InlineData("line\nbreak")]
    [InlineData("ü")]
    [InlineData("\0")]
    public void A_text_that_headers_cannot_carry_is_refused(string value) =>
        Assert.Throws<ArgumentException>(() => new Metadata().Add("key", value));

    [Fact]
    public void Text_goes_under_plain_keys_and_bytes_under_bin_keys()
    {
        Assert.Throws<ArgumentException>(() => new Metadata().Add("key-bin", "text"));
        Assert.Throws<ArgumentException>(() => new Metadata().Add("key", [1]));
    }

    [Fact]
    public void Bytes_are_base64_without_padding_on_the_wire()
    {
        Metadata metadata = [];
        metadata.Add("k-bin", [0xab, 0xab, 0xab, 0xab]);

        Assert.Equal("q6urqw", metadata[0].Value);
        Assert.Equal([0xab, 0xab, 0xab, 0xab], metadata.GetBytes("k-bin"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("00")]
    [InlineData("0001")]
    [InlineData("000102")]
    [InlineData("FBFFFE03")]
    public void Base64_is_read_with_and_without_padding(string hex)
    {
        var bytes = Convert.FromHexString(hex);
        var padded = Convert.ToBase64String(bytes);
        foreach (var text in new[] { padded, padded.TrimEnd('=') })
        {
            Metadata metadata = [];
            Assert.True(metadata.TryAddEncoded("k-bin", text));
            Assert.Equal(bytes, metadata.GetBytes("k-bin"));
        }
    }

    [Fact]
    public void Binary_values_joined_by_commas_are_several_values()
    {
        Metadata metadata = [];

        Assert.True(metadata.TryAddEncoded("k-bin", "AQ, Ag==,AwM"));

        Assert.Equal(["01", "02", "0303"], metadata.Select(entry => Convert.ToHexString(entry.Bytes)));
    }

    [Theory]
    [InlineData("A")]
    [InlineData("AQ,*")]
    [InlineData("é===")]
    public void Malformed_base64_adds_nothing(string text)
    {
        Metadata metadata = [];

        Assert.False(metadata.TryAddEncoded("k-bin", text));

        Assert.Empty(metadata);
    }
}
