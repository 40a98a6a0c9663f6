using Ingest.Cli.DeadLetters;

namespace Ingest.Cli.Tests.DeadLetters;

public sealed class LetterFilterTests
{
    private static readonly DateTimeOffset s_now = new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("30s", "2026-11-21T11:59:30Z")]
    [InlineData("90m", "2026-11-21T10:30:00Z")]
    [InlineData("1.5h", "2026-11-21T10:30:00Z")]
    [InlineData("2d", "2026-11-19T12:00:00Z")]
    [InlineData("2026-01-31T19:30:00Z", "2026-01-31T19:30:00Z")]
    [InlineData("2026-01-31", "2026-01-31T00:00:00Z")]
    public void A_time_is_a_time_or_a_while_ago(string text, string expected) => Assert.Equal(
        DateTimeOffset.Parse(expected, System.Globalization.CultureInfo.InvariantCulture), LetterFilter.ParseSince(text, s_now));

    [Theory]
    [InlineData("")]
    [InlineData("h")]
    [InlineData("-2h")]
    [InlineData("2 weeks")]
    public void Anything_else_is_no_time(string text) =>
        Assert.Throws<UsageException>(() => LetterFilter.ParseSince(text, s_now));

    [Fact]
    public void Texts_of_the_user_are_texts_in_the_statement() => Assert.Equal(
        @"1 AND `table` = 'a\'b' AND positionCaseInsensitiveUTF8(reason, 'c\\') > 0",
        new LetterFilter([], "a'b", @"c\", null).ToSql());

    [Theory]
    [InlineData("abc")]
    [InlineData("ABCDEF")]
    [InlineData("abcd'--")]
    [InlineData("0123456789abcdef0")]
    public void What_is_no_id_is_said(string id) =>
        Assert.Throws<UsageException>(() => new LetterFilter([id], null, null, null).ToSql());
}
