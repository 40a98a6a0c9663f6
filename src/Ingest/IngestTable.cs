using Ingest.Decoding;
using Ingest.Log;
using Ingest.Schema;

namespace Ingest;

/// <summary>A version of a table that takes rows: its schema, how its rows are read, and its way into the log.</summary>
public sealed class IngestTable
{
    private IngestTable? _next;

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

    /// <summary>Its way into the log; the same for all versions.</summary>
    public Lane Lane { get; }

    /// <summary>Rows that one request may have.</summary>
    public int MaxRequestRows { get; }

    /// <summary>Reads its rows.</summary>
    public RowDecoder Rows { get; }

    /// <summary>Reads requests with its rows.</summary>
    public RequestDecoder Requests { get; }

    /// <summary>The version that is in force; streams ask for it once a message.</summary>
    public IngestTable Current
    {
        get
        {
            IngestTable table = this;
            while (Volatile.Read(ref table._next) is { } next)
            {
                table = next;
            }

            return table;
        }
    }

    /// <summary>Puts another version in force.</summary>
    /// <param name="schema">That version.</param>
    /// <param name="make">Makes its table, with the same lane.</param>
    internal IngestTable Evolve(TableSchema schema, Func<TableSchema, IngestTable> make)
    {
        Lane.Evolve(schema);
        IngestTable next = make(schema);
        Volatile.Write(ref _next, next);
        return next;
    }
}
