using System.Globalization;
using System.Net;
using System.Text;

namespace Ingest.Stores.ClickHouse;

/// <summary>What a server says when it does not do what it is asked.</summary>
internal static class Refusal
{
    private const int MaxBytes = 64 << 10;
    private const string CodeHeader = "X-ClickHouse-Exception-Code";

    /// <summary>
    /// The exception's text, which begins with its code; null when the answer is a success. A server that says 200 and
    /// then fails has the code in a header (it had not begun to answer) or in the text.
    /// </summary>
    /// <param name="answer">Status and headers.</param>
    /// <param name="cancellationToken">The time for it.</param>
    /// <exception cref="ReplicaDownException">It is not ClickHouse that refuses.</exception>
    public static async Task<string?> ReadAsync(HttpResponseMessage answer, CancellationToken cancellationToken)
    {
        string code = answer.Headers.TryGetValues(CodeHeader, out IEnumerable<string>? values) ? values.First() : "";
        if (answer.StatusCode == HttpStatusCode.OK && code.Length == 0)
        {
            return null;
        }

        string text = (await ReadTextAsync(answer.Content, cancellationToken)).Trim();
        if (EngineError.Code(text) != 0)
        {
            return text;
        }

        if (code.Length > 0)
        {
            return $"Code: {code}. {text}";
        }

        throw new ReplicaDownException(string.Create(
            CultureInfo.InvariantCulture, $"answered {(int)answer.StatusCode} {answer.ReasonPhrase}"));
    }

    private static async Task<string> ReadTextAsync(HttpContent content, CancellationToken cancellationToken)
    {
        byte[] buffer = new byte[MaxBytes];
        await using Stream stream = await content.ReadAsStreamAsync(cancellationToken);
        int length = await stream.ReadAtLeastAsync(buffer, MaxBytes, throwOnEndOfStream: false, cancellationToken);
        return Encoding.UTF8.GetString(buffer, 0, length);
    }
}
