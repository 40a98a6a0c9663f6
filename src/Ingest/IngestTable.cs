using Ingest.Decoding;
using Ingest.Log;
using Ingest.Schema;

namespace Ingest;

/// <summary>A table that takes rows: its schema, how its rows are read, and its way into the log.</summary>
public sealed class IngestTable
{
    internal IngestTable(TableSchema schema, Lane lane, int maxRequestRows = int.MaxValue)
    {
        Schema = schema;
        Lane = lane;
        Rows = new RowDecoder(schema);
        MaxRequestRows = maxRequestRows;
        Requests = new RequestDecoder(Rows) { MaxRows = maxRequestRows };
    }

    /// <summary>The table.</summary>
    public TableSchema Schema { get; }

    /// <summary>Its way into the log.</summary>
    public Lane Lane { get; }

    /// <summary>Rows that one request may have.</summary>
    public int MaxRequestRows { get; }

    /// <summary>Reads its rows.</summary>
    public RowDecoder Rows { get; }

    /// <summary>Reads requests with its rows.</summary>
    public RequestDecoder Requests { get; }
}
