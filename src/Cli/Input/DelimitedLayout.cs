namespace Ingest.Cli.Input;

/// <summary>How a file of delimited columns is laid out.</summary>
/// <param name="Delimiter">The byte between columns.</param>
/// <param name="Quoted">Whether `"` quotes, as in RFC 4180.</param>
/// <param name="HeaderLines">Lines before the first row; the columns' names stand on the last of them.</param>
/// <param name="Columns">The columns' names where no header has them; empty for one that means nothing.</param>
internal sealed record DelimitedLayout(byte Delimiter, bool Quoted, int HeaderLines, string[]? Columns)
{
    /// <summary>The cabspotting set: `37.75153 -122.39447 0 1211033530`.</summary>
    public static readonly DelimitedLayout Cabspotting =
        new((byte)' ', Quoted: false, HeaderLines: 0, ["lat", "lon", "occupied", "timestamp"]);

    /// <summary>GeoLife's .plt: `39.98,116.31,0,492,39744.24,2008-10-23,05:53:05`; times are UTC.</summary>
    public static readonly DelimitedLayout Plt =
        new((byte)',', Quoted: false, HeaderLines: 6, ["lat", "lon", "", "", "", "date", "time"]);

    /// <summary>CSV with a header.</summary>
    public static DelimitedLayout Csv(byte delimiter) =>
        new(delimiter, Quoted: true, HeaderLines: 1, Columns: null);
}
