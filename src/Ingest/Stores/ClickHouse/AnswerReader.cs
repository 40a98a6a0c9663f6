using System.Buffers;
using System.Text;

namespace Ingest.Stores.ClickHouse;

/// <summary>Reads a streamed answer, and tells the answer's end from an exception in the middle of it.</summary>
/// <remarks>
/// A query that fails after its status was sent ends with its exception in the answer's body. Since 25.11 a server
/// announces a tag in a header and frames the exception with it:
/// <c>\r\n__exception__\r\nTAG\r\nTEXT\nLENGTH TAG\r\n__exception__\r\n</c>, at most 16 KiB. Older ones write the bare
/// text as the last line. So the last 32 KiB read are held back until more has come or the answer has ended.
/// </remarks>
internal sealed class AnswerReader : IDisposable
{
    private const int BufferBytes = 256 << 10;
    private const int HeldBytes = 32 << 10;
    private const string TagHeader = "X-ClickHouse-Exception-Tag";

    private readonly HttpResponseMessage _answer;
    private readonly Stream _body;
    private readonly string? _tag;
    private readonly byte[] _buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
    private int _given;
    private int _filled;
    private bool _ended;

    private AnswerReader(HttpResponseMessage answer, Stream body)
    {
        _answer = answer;
        _body = body;
        _tag = answer.Headers.TryGetValues(TagHeader, out IEnumerable<string>? values) ? values.First() : null;
    }

    /// <summary>Takes an answer over.</summary>
    public static async Task<AnswerReader> OpenAsync(HttpResponseMessage answer, CancellationToken cancellationToken) =>
        new(answer, await answer.Content.ReadAsStreamAsync(cancellationToken));

    /// <summary>The next piece, valid until the next call; empty at the end.</summary>
    /// <exception cref="StoreException">The query failed, or the answer broke off.</exception>
    public async ValueTask<ReadOnlyMemory<byte>> NextAsync(CancellationToken cancellationToken)
    {
        _buffer.AsSpan(_given, _filled - _given).CopyTo(_buffer);
        _filled -= _given;
        _given = 0;
        while (!_ended && _filled <= HeldBytes)
        {
            await FillAsync(cancellationToken);
        }

        if (_ended)
        {
            ThrowIfException();
            _given = _filled;
        }
        else
        {
            _given = _filled - HeldBytes;
        }

        return _buffer.AsMemory(0, _given);
    }

    /// <summary>Ends the request; the server ends a query whose answer was not read to its end.</summary>
    public void Dispose()
    {
        _answer.Dispose();
        ArrayPool<byte>.Shared.Return(_buffer);
    }

    private async ValueTask FillAsync(CancellationToken cancellationToken)
    {
        try
        {
            int read = await _body.ReadAsync(_buffer.AsMemory(_filled), cancellationToken);
            _ended = read == 0;
            _filled += read;
        }
        catch (Exception e) when (e is IOException or HttpRequestException)
        {
            ThrowIfException();
            throw new StoreException($"The server's answer broke off: {e.Message}", StoreFault.Unavailable, e);
        }
    }

    private void ThrowIfException()
    {
        ReadOnlySpan<byte> tail = _buffer.AsSpan(0, _filled);
        int start = _tag is null ? BareStart(tail) : FramedStart(tail);
        if (start >= 0)
        {
            string text = Encoding.UTF8.GetString(tail[start..]);
            int end = _tag is null ? -1 : text.LastIndexOf('\n', Math.Max(0, text.LastIndexOf(_tag, StringComparison.Ordinal)));
            throw EngineError.OfQuery(end < 0 ? text : text[..end]);
        }
    }

    private int FramedStart(ReadOnlySpan<byte> tail)
    {
        byte[] opening = Encoding.ASCII.GetBytes($"__exception__\r\n{_tag}\r\n");
        int found = tail.LastIndexOf(opening);
        return found < 0 ? -1 : found + opening.Length;
    }

    // A value of the answer may look the same; to take an exception for data would be worse.
    private static int BareStart(ReadOnlySpan<byte> tail)
    {
        ReadOnlySpan<byte> text = tail.TrimEnd((byte)'\n');
        int start = text.LastIndexOf("\nCode: "u8) + 1;
        ReadOnlySpan<byte> last = text[start..];
        return last.StartsWith("Code: "u8) && last.IndexOf("DB::Exception"u8) is > 0 and < 64 ? start : -1;
    }
}
