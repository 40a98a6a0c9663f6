using System.Buffers;
using System.Globalization;
using System.Text;

namespace Ingest.Server.Observability;

/// <summary>A buffer of UTF-8 that is filled anew for each scrape, with the escapes of the text formats.</summary>
internal sealed class PrometheusText
{
    private static readonly SearchValues<char> LabelSpecials = SearchValues.Create("\\\"\n");
    private static readonly SearchValues<char> HelpSpecials = SearchValues.Create("\\\n");

    private readonly ArrayBufferWriter<byte> _buffer = new(initialCapacity: 4096);

    /// <summary>What has been written; valid until the next write.</summary>
    public ReadOnlyMemory<byte> Written => _buffer.WrittenMemory;

    /// <summary>Starts over; the memory stays.</summary>
    public void Reset() => _buffer.ResetWrittenCount();

    /// <summary>Appends bytes as they are.</summary>
    public void Append(ReadOnlySpan<byte> utf8) => _buffer.Write(utf8);

    /// <summary>Appends text as it is; half a surrogate pair becomes U+FFFD.</summary>
    public void Append(ReadOnlySpan<char> text)
    {
        var span = _buffer.GetSpan(Encoding.UTF8.GetMaxByteCount(text.Length));
        _buffer.Advance(Encoding.UTF8.GetBytes(text, span));
    }

    /// <summary>Appends an integer.</summary>
    public void Append(long value)
    {
        value.TryFormat(_buffer.GetSpan(20), out var written, default, CultureInfo.InvariantCulture);
        _buffer.Advance(written);
    }

    /// <summary>Appends the shortest text that reads back as the value.</summary>
    /// <param name="value">The number; NaN and infinities are written as Prometheus spells them.</param>
    /// <param name="asFloat">Whether a whole number gets <c>.0</c>, as OpenMetrics wants its bounds.</param>
    public void Append(double value, bool asFloat = false)
    {
        if (!double.IsFinite(value))
        {
            Append(double.IsNaN(value) ? "NaN"u8 : value > 0 ? "+Inf"u8 : "-Inf"u8);
            return;
        }

        var span = _buffer.GetSpan(32);
        value.TryFormat(span, out var written, "r", CultureInfo.InvariantCulture);
        var whole = asFloat && !span[..written].ContainsAny((byte)'.', (byte)'e');
        _buffer.Advance(written);
        Append(whole ? ".0"u8 : default);
    }

    /// <summary>Appends a label's value without its quotes.</summary>
    public void AppendLabelValue(ReadOnlySpan<char> value) => AppendEscaped(value, LabelSpecials);

    /// <summary>Appends the text of a HELP line.</summary>
    public void AppendHelp(ReadOnlySpan<char> help, PrometheusFormat format) =>
        AppendEscaped(help, format == PrometheusFormat.OpenMetrics ? LabelSpecials : HelpSpecials);

    private void AppendEscaped(ReadOnlySpan<char> text, SearchValues<char> specials)
    {
        for (int at; (at = text.IndexOfAny(specials)) >= 0; text = text[(at + 1)..])
        {
            Append(text[..at]);
            Append(text[at] switch { '\n' => "\\n"u8, '"' => "\\\""u8, _ => "\\\\"u8 });
        }

        Append(text);
    }
}
