using System.Text.Json;
using Ingest.Cli.Binding;

namespace Ingest.Cli.Input;

/// <summary>Tells formats by the first line, and makes their readers: the one place where they are chosen.</summary>
internal static class InputFormats
{
    /// <summary>The names of the formats as `--format` takes them.</summary>
    public static readonly string[] Names = ["csv", "ndjson", "trips", "cabspotting", "plt"];

    /// <summary>The format of that name; null when there is none.</summary>
    public static InputFormat? Find(string name) =>
        Array.IndexOf(Names, name.ToLowerInvariant()) is >= 0 and var index ? (InputFormat)index : null;

    /// <summary>The format that a first line has; null when it is none that is known.</summary>
    public static InputFormat? Detect(ReadOnlySpan<byte> firstLine)
    {
        var line = firstLine.Trim(" \t"u8);
        if (line.StartsWith("{"u8))
        {
            return DetectJson(line);
        }
        if (line.StartsWith("Geolife trajectory"u8))
        {
            return InputFormat.Plt;
        }
        if (IsCabspotting(line))
        {
            return InputFormat.Cabspotting;
        }
        return line.IndexOfAny(",;\t"u8) >= 0 && !FieldText.TryNumber(line[..line.IndexOfAny(",;\t"u8)], out _)
            ? InputFormat.Csv
            : null;
    }

    /// <summary>Makes the reader of a file.</summary>
    /// <param name="lines">The file's lines, at its start.</param>
    /// <param name="format">Its format; null to tell it by the first line.</param>
    /// <param name="binder">Makes rows of columns.</param>
    /// <exception cref="UsageException">The file is not of a known format, or cannot be such rows.</exception>
    public static RowReader<TRow> Open<TRow>(LineReader lines, InputFormat? format, RowBinder<TRow> binder)
    {
        var firstLine = lines.Peek();
        return (format ?? Detect(firstLine)) switch
        {
            InputFormat.Csv =>
                new DelimitedReader<TRow>(lines, DelimitedLayout.Csv(DelimiterOf(firstLine)), binder),
            InputFormat.Ndjson => new JsonLinesReader<TRow>(lines, binder),
            InputFormat.Cabspotting => new DelimitedReader<TRow>(lines, DelimitedLayout.Cabspotting, binder),
            InputFormat.Plt => new DelimitedReader<TRow>(lines, DelimitedLayout.Plt, binder),
            InputFormat.Trips => binder is GpsPointBinder points
                ? (RowReader<TRow>)(object)new TripsReader(lines, points)
                : throw new UsageException("trips can be read as gps only"),
            _ => throw new UsageException(firstLine.IsEmpty
                ? "the file is empty"
                : "the format is not known; --format names it (" + string.Join(", ", Names) + ")"),
        };
    }

    private static InputFormat? DetectJson(ReadOnlySpan<byte> line)
    {
        try
        {
            var json = new Utf8JsonReader(line);
            var isTrip = false;
            json.Read();
            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                var isLat = json.ValueTextEquals("lats"u8) || json.ValueTextEquals("lat"u8)
                    || json.ValueTextEquals("latitudes"u8);
                json.Read();
                isTrip |= isLat && json.TokenType == JsonTokenType.StartArray;
                json.Skip();
            }
            return isTrip ? InputFormat.Trips : InputFormat.Ndjson;
        }
        catch (JsonException)
        {
            // The first line of a document that goes on over many lines.
            return null;
        }
    }

    private static bool IsCabspotting(ReadOnlySpan<byte> line)
    {
        var columns = 0;
        foreach (var range in line.Split((byte)' '))
        {
            if (!FieldText.TryNumber(line[range], out _))
            {
                return false;
            }
            columns++;
        }
        return columns == DelimitedLayout.Cabspotting.Columns!.Length;
    }

    private static byte DelimiterOf(ReadOnlySpan<byte> header)
    {
        var best = (byte)',';
        foreach (var delimiter in ";\t"u8)
        {
            if (header.Count(delimiter) > header.Count(best))
            {
                best = delimiter;
            }
        }
        return best;
    }
}
