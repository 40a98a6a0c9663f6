namespace Ingest.Protocol.Tests.Grpc;

public class PercentEncodingTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("plain text ~!", "plain text ~!")]
    [InlineData("100%", "100%25")]
    [InlineData("\t\r\n", "%09%0D%0A")]
    [InlineData("ö☺", "%C3%B6%E2%98%BA")]
    [InlineData("😈", "%F0%9F%98%88")]
    [InlineData("\u007f", "%7F")]
    public void A_text_is_encoded_and_decoded(string text, string encoded)
    {
        Assert.Equal(encoded, PercentEncoding.Encode(text));
        Assert.Equal(text, PercentEncoding.Decode(encoded));
    }

    [Theory]
    [InlineData("%", "%")]
    [InlineData("%4", "%4")]
    [InlineData("%zz", "%zz")]
    [InlineData("a%2", "a%2")]
    [InlineData("%c3%B6", "ö")]
    [InlineData("%FF", "\uFFFD")]
    [InlineData("%%41", "%A")]
    public void What_is_malformed_is_kept(string encoded, string text) =>
        Assert.Equal(text, PercentEncoding.Decode(encoded));
}
