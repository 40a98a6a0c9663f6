using System.Net;
using System.Text;
using Ingest.Stores;
using Ingest.Stores.ClickHouse;

namespace Ingest.Tests.Stores.ClickHouse;

public sealed class AnswerReaderTests
{
    private const string Tag = "PU1FNUFH98";

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(40_000)]
    [InlineData(1_000_000)]
    public async Task An_answer_is_given_out_unchanged(int length)
    {
        string text = Text(length);
        Assert.Equal(text, await ReadAsync(text, tag: null));
        Assert.Equal(text, await ReadAsync(text, Tag));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(40_000)]
    [InlineData(300_001)]
    public async Task An_exception_behind_rows_is_told_by_its_tag(int length)
    {
        const string Message = "Code: 395. DB::Exception: Value passed to 'throwIf' is non-zero.\nSecond line";
        string body = $"{Text(length)}\r\n__exception__\r\n{Tag}\r\n{Message}\r\n{Message.Length} {Tag}\r\n"
            + "__exception__\r\n";
        StoreException fault = await Assert.ThrowsAsync<StoreException>(() => ReadAsync(body, Tag));
        Assert.Equal(Message, fault.Message);
        Assert.Equal(StoreFault.BadQuery, fault.Fault);
    }

    [Fact]
    public async Task An_exception_of_an_old_server_is_told_by_its_text()
    {
        const string Message = "Code: 164, e.displayText() = DB::Exception: Cannot do that, e.what() = DB::Exception";
        StoreException fault = await Assert.ThrowsAsync<StoreException>(
            () => ReadAsync($"0\n0\n{Message}\n", tag: null));
        Assert.Equal(Message, fault.Message);
        Assert.Equal(StoreFault.ReadOnly, fault.Fault);
    }

    [Fact]
    public async Task With_a_tag_the_text_of_an_exception_is_data()
    {
        const string Text = "Code: 60. DB::Exception: a message that someone logged\n";
        Assert.Equal(Text, await ReadAsync(Text, Tag));
    }

    private static string Text(int length) => string.Concat(Enumerable.Range(0, length).Select(i => (char)('a' + (i % 26))));

    private static async Task<string> ReadAsync(string body, string? tag)
    {
        var answer = new HttpResponseMessage(HttpStatusCode.OK) { Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body)) };
        if (tag is not null)
        {
            answer.Headers.Add("X-ClickHouse-Exception-Tag", tag);
        }

        using AnswerReader reader = await AnswerReader.OpenAsync(answer, default);
        using var text = new MemoryStream();
        while (await reader.NextAsync(default) is { IsEmpty: false } piece)
        {
            text.Write(piece.Span);
        }

        return Encoding.UTF8.GetString(text.ToArray());
    }
}
