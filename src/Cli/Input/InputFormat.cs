namespace Ingest.Cli.Input;

/// <summary>How a file writes its rows.</summary>
internal enum InputFormat
{
    /// <summary>A header line, then records with commas, semicolons or tabs; quotes as in RFC 4180.</summary>
    Csv,

    /// <summary>A JSON object a line, one row each.</summary>
    Ndjson,

    /// <summary>A JSON object a line, one trip each, with arrays of points (the DeepTTE Chengdu set).</summary>
    Trips,

    /// <summary>Lines of `lat lon occupied unixtime`, no header (the cabspotting set).</summary>
    Cabspotting,

    /// <summary>GeoLife's .plt: six header lines, then `lat,lon,0,altitude,days,date,time`.</summary>
    Plt,
}
