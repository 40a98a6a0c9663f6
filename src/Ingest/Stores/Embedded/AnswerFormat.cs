namespace Ingest.Stores.Embedded;

/// <summary>How an answer's format behaves when the engine hands it out piece by piece.</summary>
/// <remarks>
/// The engine formats every piece as if it were a whole answer: header, rows, footer. So formats without header and
/// footer can be streamed, those with header lines can once the repeated header is taken off, and all others (JSON,
/// Parquet, Pretty, XML...) must be asked for as a whole. Tried on 26.7 with every format of system.formats.
/// </remarks>
internal readonly record struct AnswerFormat(bool IsStreamed, int HeaderLines, bool IsQuoted)
{
    private static readonly Dictionary<string, AnswerFormat> s_streamed = Build();

    /// <summary>The format of that name; names are not case-sensitive in the engine.</summary>
    public static AnswerFormat Of(string name) => s_streamed.GetValueOrDefault(name);

    /// <summary>Length of the header at the beginning of a piece.</summary>
    public int HeaderLength(ReadOnlySpan<byte> piece)
    {
        int lines = HeaderLines;
        bool inQuotes = false;
        for (int i = 0; lines > 0 && i < piece.Length; i++)
        {
            if (piece[i] == '"' && IsQuoted)
            {
                inQuotes = !inQuotes;
            }
            else if (piece[i] == '\n' && !inQuotes && --lines == 0)
            {
                return i + 1;
            }
        }

        return 0;
    }

    private static Dictionary<string, AnswerFormat> Build()
    {
        var formats = new Dictionary<string, AnswerFormat>(StringComparer.OrdinalIgnoreCase);
        string[] lines =
        [
            "TabSeparated", "TSV", "TabSeparatedRaw", "TSVRaw", "Raw", "CSV", "JSONCompactEachRow",
            "JSONCompactStringsEachRow",
        ];
        foreach (string name in lines)
        {
            bool quoted = name == "CSV";
            formats[name] = new AnswerFormat(true, 0, quoted);
            formats[name + "WithNames"] = new AnswerFormat(true, 1, quoted);
            formats[name + "WithNamesAndTypes"] = new AnswerFormat(true, 2, quoted);
        }

        string[] plain =
        [
            "TSKV", "JSONEachRow", "JSONLines", "NDJSON", "JSONL", "JSONStringsEachRow", "LineAsString", "RowBinary",
            "Native",
        ];
        foreach (string name in plain)
        {
            formats[name] = new AnswerFormat(true, 0, false);
        }

        return formats;
    }
}
